# Puts openapi.json and the built dashboard into the binary. Included by src/CMakeLists.txt; run again as a script by
# the build.

# As bytes: neither the length of a literal nor anything inside the file can matter.
function(read_bytes file out)
  file(READ ${file} content HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" content "${content}")
  set(${out} "\"${content}\"" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE AND DASHBOARD)
  file(GLOB_RECURSE files RELATIVE ${DASHBOARD} ${DASHBOARD}/*)
  list(SORT files)
  set(text "// Generated from web/dist by src/api/embed.cmake.\n#include \"api/dashboard.h\"\n\n")
  string(APPEND text "namespace candlewick::api {\n\nstd::span<const DashboardFile> dashboard_files() {\n")
  set(rows "")
  set(number 0)
  foreach(name ${files})
    read_bytes(${DASHBOARD}/${name} content)
    file(SIZE ${DASHBOARD}/${name} size)
    string(APPEND text "  static constexpr char file_${number}[] =\n      ${content};\n")
    string(APPEND rows "      {\"/${name}\", {file_${number}, ${size}}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  if(rows)
    string(APPEND text "  static constexpr DashboardFile files[] = {\n${rows}  };\n  return files;\n")
  else()
    string(APPEND text "  return {};\n")
  endif()
  string(APPEND text "}\n\n}  // namespace candlewick::api\n")
  file(WRITE ${OUTPUT} "${text}")
elseif(CMAKE_SCRIPT_MODE_FILE)
  read_bytes(${INPUT} content)
  set(text "// Generated from openapi.json by src/api/embed.cmake.\n#include \"api/openapi.h\"\n\n")
  string(APPEND text "namespace candlewick::api {\nnamespace {\n\nconstexpr char document[] =\n    ${content};\n\n")
  string(APPEND text "}  // namespace\n\nstd::string_view openapi_document() {\n")
  string(APPEND text "  return {document, sizeof(document) - 1};\n}\n\n}  // namespace candlewick::api\n")
  file(WRITE ${OUTPUT} "${text}")
elseif(TARGET candlewick_api)
  set(openapi_cc ${CMAKE_CURRENT_BINARY_DIR}/openapi.cc)
  add_custom_command(
    OUTPUT ${openapi_cc}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_LIST_DIR}/openapi.json -DOUTPUT=${openapi_cc}
            -P ${CMAKE_CURRENT_LIST_FILE}
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/openapi.json ${CMAKE_CURRENT_LIST_FILE}
    COMMENT "Embedding openapi.json"
    VERBATIM)
  set(dashboard_cc ${CMAKE_CURRENT_BINARY_DIR}/dashboard.cc)
  set(dashboard ${PROJECT_SOURCE_DIR}/web/dist)
  # Made by web/run build, which needs Node; without it the program has its plain start page.
  file(GLOB_RECURSE dashboard_files CONFIGURE_DEPENDS ${dashboard}/*)
  add_custom_command(
    OUTPUT ${dashboard_cc}
    COMMAND ${CMAKE_COMMAND} -DDASHBOARD=${dashboard} -DOUTPUT=${dashboard_cc} -P ${CMAKE_CURRENT_LIST_FILE}
    DEPENDS ${dashboard_files} ${CMAKE_CURRENT_LIST_FILE}
    COMMENT "Embedding the dashboard"
    VERBATIM)
  target_sources(candlewick_api PRIVATE ${openapi_cc} ${dashboard_cc})
endif()
