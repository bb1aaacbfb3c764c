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
install(DIRECTORY ${PROJECT_SOURCE_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR}/weir USE_SOURCE_PERMISSIONS)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${sample_dir})
