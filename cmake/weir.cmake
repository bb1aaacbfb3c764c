# The few words that this project's CMakeLists.txt files are written in.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE
    -Wall -Wextra -Werror -Wshadow -Wvla -Wformat=2 -Wundef -Wpointer-arith
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>
    -fno-common -fvisibility=hidden -fno-strict-aliasing -fstack-protector-strong)
target_compile_definitions(weir_flags INTERFACE
    _GNU_SOURCE WEIR_VERSION="${PROJECT_VERSION}"
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_include_directories(weir_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(WEIR_SANITIZE)
    target_compile_options(weir_flags INTERFACE
        -fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -U_FORTIFY_SOURCE)
    target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()
if(WEIR_FUZZ)
    target_compile_options(weir_flags INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
        -U_FORTIFY_SOURCE)
    target_link_options(weir_flags INTERFACE -fsanitize=address,undefined)
endif()

# weir-server is optimised as a whole: rooms are small, and a statement passes through most of them. The objects hold
# ordinary code too, so that everything else links as always.
option(WEIR_LTO "Optimise weir-server across its rooms" ON)
set(weir_lto_flags "")
if(WEIR_LTO AND NOT WEIR_SANITIZE AND NOT WEIR_FUZZ AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    set(weir_lto_flags -flto=auto)
    set(weir_no_lto_flags -fno-lto) # the linker would go by what the objects hold
endif()

# The rooms of src/ and the arrows between them, from cmake/rooms.list: weir_rooms, their names, lowest first;
# weir_rooms_pure; weir_room_folders, in the same order; weir_room_below_NAME.
set(room_list ${PROJECT_SOURCE_DIR}/cmake/rooms.list)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${room_list})
file(STRINGS ${room_list} room_rows REGEX "^[a-z]")
foreach(row ${room_rows})
    if(NOT row MATCHES "^([a-z0-9_]+) +([^ ]+) +[^ ]+ +(pure +)?below:([a-z0-9_ ]*)(#.*)?$")
        message(FATAL_ERROR "${room_list}: is not NAME FOLDER HEADER [pure] below: ROOM ...: ${row}")
    endif()
    set(room ${CMAKE_MATCH_1})
    list(APPEND weir_rooms ${room})
    list(APPEND weir_room_folders ${CMAKE_MATCH_2})
    if(CMAKE_MATCH_3)
        list(APPEND weir_rooms_pure ${room})
    endif()
    separate_arguments(weir_room_below_${room} UNIX_COMMAND "${CMAKE_MATCH_4}")
endforeach()

# weir_room(NAME SOURCES a.c ... LIBRARIES PkgConfig::UV ...)
# A room of src/: the static library weir_NAME. The only rooms that it may use are those of cmake/rooms.list.
function(weir_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;LIBRARIES" ${ARGN})
    if(NOT name IN_LIST weir_rooms)
        message(FATAL_ERROR "the room ${name} is not in ${room_list}")
    endif()
    if(ROOM_UNPARSED_ARGUMENTS MATCHES "BELOW" OR ROOM_SOURCES MATCHES "BELOW" OR ROOM_LIBRARIES MATCHES "BELOW")
        message(FATAL_ERROR "the room ${name}: what is below it stands in ${room_list}, not here")
    endif()
    add_library(weir_${name} STATIC ${ROOM_SOURCES})
    if(weir_lto_flags)
        target_compile_options(weir_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:${weir_lto_flags} -ffat-lto-objects>)
    endif()
    set(below ${weir_room_below_${name}})
    list(TRANSFORM below PREPEND weir_)
    target_link_libraries(weir_${name} PUBLIC weir_flags ${below} PRIVATE ${ROOM_LIBRARIES})
endfunction()

# weir_use_commit(NAME): the room's files may include "weir_commit.h", which defines WEIR_COMMIT; of the tree that is built,
# or WEIR_COMMIT of the configuration where there is no git.
set(WEIR_COMMIT "" CACHE STRING "The commit that is built; empty: git says it")
set(weir_commit_dir ${PROJECT_BINARY_DIR}/generated)
add_custom_target(weir_commit BYPRODUCTS ${weir_commit_dir}/weir_commit.h
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${weir_commit_dir}/weir_commit.h -DCOMMIT=${WEIR_COMMIT}
        -P ${PROJECT_SOURCE_DIR}/cmake/commit.cmake)
function(weir_use_commit name)
    add_dependencies(weir_${name} weir_commit)
    target_include_directories(weir_${name} PRIVATE ${weir_commit_dir})
endfunction()

# weir_program(NAME [ACROSS_ROOMS] SOURCES ... ROOMS ... LIBRARIES ...): a program, installed in bin; with ACROSS_ROOMS
# optimised as a whole.
function(weir_program name)
    cmake_parse_arguments(PROGRAM "ACROSS_ROOMS" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
    list(TRANSFORM PROGRAM_ROOMS PREPEND weir_)
    add_executable(${name} ${PROGRAM_SOURCES})
    target_link_libraries(${name} PRIVATE weir_flags ${PROGRAM_ROOMS} ${PROGRAM_LIBRARIES})
    if(PROGRAM_ACROSS_ROOMS)
        target_compile_options(${name} PRIVATE ${weir_lto_flags})
        target_link_options(${name} PRIVATE ${weir_lto_flags})
    else()
        target_link_options(${name} PRIVATE ${weir_no_lto_flags})
    endif()
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    set_property(GLOBAL APPEND PROPERTY WEIR_PROGRAMS ${name})
endfunction()

# weir_manual(TARGET PAGE [ARGUMENT]): installs a man page, NAME.SECTION, that the program itself prints from its tables.
function(weir_manual target page)
    set(argument ${ARGN})
    if(NOT argument)
        set(argument -manual)
    endif()
    string(REGEX MATCH "[0-9]$" section ${page})
    install(CODE "
        set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man${section}\")
        file(MAKE_DIRECTORY \"\${folder}\")
        execute_process(COMMAND \"$<TARGET_FILE:${target}>\" ${argument}
            OUTPUT_FILE \"\${folder}/${page}\" COMMAND_ERROR_IS_FATAL ANY)")
endfunction()

# weir_unit_test(NAME SOURCES ... ROOMS ... LIBRARIES ...): a cmocka program that ctest runs.
function(weir_unit_test name)
    cmake_parse_arguments(TEST "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
    list(TRANSFORM TEST_ROOMS PREPEND weir_)
    add_executable(${name} ${TEST_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE weir_flags ${TEST_ROOMS} ${TEST_LIBRARIES} PkgConfig::CMOCKA)
    target_link_options(${name} PRIVATE ${weir_no_lto_flags})
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()

# weir_fuzz_target(NAME SOURCES ... ROOMS ...): a libFuzzer program, in builds with WEIR_FUZZ only.
function(weir_fuzz_target name)
    cmake_parse_arguments(FUZZ "" "" "SOURCES;ROOMS" ${ARGN})
    if(NOT WEIR_FUZZ)
        return()
    endif()
    list(TRANSFORM FUZZ_ROOMS PREPEND weir_)
    add_executable(${name} ${FUZZ_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(${name} PRIVATE weir_flags ${FUZZ_ROOMS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    if(NOT TARGET fuzzers)
        add_custom_target(fuzzers)
    endif()
    add_dependencies(fuzzers ${name})
endfunction()
