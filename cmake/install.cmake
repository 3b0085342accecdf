# SPDX-License-Identifier: Apache-2.0
# What is installed besides the programs (src/programs/CMakeLists.txt), where a Debian package has it.
# packaging/README.md lists it.
install(FILES docs/man/limpet.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/limpetd.8 docs/man/limpetadm.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)

install(FILES packaging/completions/limpet packaging/completions/limpetd
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# systemd searches lib/, never the multiarch directory that CMAKE_INSTALL_LIBDIR may be.
configure_file(packaging/limpetd.service.in ${PROJECT_BINARY_DIR}/packaging/limpetd.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/packaging/limpetd.service DESTINATION lib/systemd/system)
install(FILES packaging/limpet.sysusers DESTINATION lib/sysusers.d RENAME limpet.conf)

install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md docs/differences.md docs/openapi.yaml LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY LICENSES DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/limpetd.toml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
