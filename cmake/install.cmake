# SPDX-License-Identifier: Apache-2.0
# What is installed besides the programs (src/programs/CMakeLists.txt), where a Debian package has it.
# packaging/README.md lists it.
install(FILES docs/man/limpet.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/limpetd.8 docs/man/limpetadm.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)

# systemd searches lib/, never the multiarch directory that CMAKE_INSTALL_LIBDIR may be.
configure_file(packaging/limpetd.service.in ${PROJECT_BINARY_DIR}/packaging/limpetd.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/packaging/limpetd.service DESTINATION lib/systemd/system)
install(FILES packaging/limpet.sysusers DESTINATION lib/sysusers.d RENAME limpet.conf)

install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md docs/differences.md docs/keepalived.md docs/openapi.yaml LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY LICENSES DESTINATION ${CMAKE_INSTALL_DOCDIR})
configure_file(packaging/keepalived-limpet.conf.in ${PROJECT_BINARY_DIR}/packaging/keepalived-limpet.conf @ONLY)
install(FILES packaging/limpetd.toml ${PROJECT_BINARY_DIR}/packaging/keepalived-limpet.conf
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# ipvsadm's names, where nothing finds them unasked: another package may own those in sbin. packaging/ipvs-alternatives
# registers them, or a PATH names the directory.
set(LIMPET_IPVS_NAMES lib/limpet/ipvs-names)
file(RELATIVE_PATH LIMPET_FROM_IPVS_NAMES "/${LIMPET_IPVS_NAMES}" "/${CMAKE_INSTALL_SBINDIR}/limpetadm")
foreach(name ipvsadm ipvsadm-save ipvsadm-restore)
  file(CREATE_LINK ${LIMPET_FROM_IPVS_NAMES} ${PROJECT_BINARY_DIR}/packaging/${name} SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/packaging/${name} DESTINATION ${LIMPET_IPVS_NAMES})
endforeach()
install(PROGRAMS packaging/ipvs-alternatives DESTINATION lib/limpet)

# bash-completion loads the file with the program's name.
file(GLOB LIMPET_COMPLETIONS CONFIGURE_DEPENDS packaging/completions/*)
install(FILES ${LIMPET_COMPLETIONS} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
