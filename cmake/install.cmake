# What `make install` brings beside the programs: the plugins of the server, packaged by the pluginpkg of this build;
# their sources and settings as samples; the documents.
set(sample_dir ${CMAKE_INSTALL_DATADIR}/doc/weir)
foreach(plugin conn_ip_example ip_filter sql_firewall audit_log ask_service)
    install(CODE "
        set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${WEIR_PLUGIN_DIR}\")
        file(MAKE_DIRECTORY \"\${folder}\")
        message(STATUS \"Installing: \${folder}/${plugin}\")
        execute_process(COMMAND \"$<TARGET_FILE:pluginpkg>\" -pkg-dir \"${PROJECT_SOURCE_DIR}/plugin/${plugin}\"
            -out-dir \"\${folder}\" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/plugin/ DESTINATION ${sample_dir}/plugin
    PATTERN "*.so" EXCLUDE PATTERN "fake_host" EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${sample_dir})
foreach(folder container grafana logrotate prometheus systemd)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/share/${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/weir
        USE_SOURCE_PERMISSIONS)
endforeach()
# bash looks for a file of the program's name.
foreach(program pluginpkg weir-audit weir-digest weir-firewall weir-replay weir-server weir-trace)
    install(FILES ${PROJECT_SOURCE_DIR}/share/completion/weir.bash RENAME ${program}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/share/completion/_weir DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${sample_dir})

# Man pages that are not of one program: a map, and the ABI, made from its header.
set(section_7 ${PROJECT_BINARY_DIR}/man7)
set(VERSION ${PROJECT_VERSION})
configure_file(${PROJECT_SOURCE_DIR}/share/man/weir.7.in ${section_7}/weir.7 @ONLY)
set(abi_headers ${PROJECT_SOURCE_DIR}/include/weir/plugin.h ${PROJECT_SOURCE_DIR}/include/weir/store.h)
set(abi_page ${PROJECT_SOURCE_DIR}/share/man/weir-plugin.awk)
add_custom_command(OUTPUT ${section_7}/weir-plugin.7 DEPENDS ${abi_headers} ${abi_page} VERBATIM
    COMMAND awk -v version=${PROJECT_VERSION} -f ${abi_page} ${abi_headers} > ${section_7}/weir-plugin.7)
add_custom_target(manuals ALL DEPENDS ${section_7}/weir-plugin.7)
install(FILES ${section_7}/weir.7 ${section_7}/weir-plugin.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
