# Run by each build: writes OUT with the commit of the tree, and only when it has changed. -DCOMMIT=... says it where
# there is no git, as in a package's build.
if(NOT COMMIT)
    execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
        OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
        set(COMMIT unknown)
    endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define WEIR_COMMIT \"@COMMIT@\"\n" @ONLY)
