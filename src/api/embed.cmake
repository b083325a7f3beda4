# Puts openapi.json into the binary. Included by src/CMakeLists.txt; run again as a script by the build.
if(CMAKE_SCRIPT_MODE_FILE)
  # As bytes: neither the length of a literal nor anything inside the file can matter.
  file(READ ${INPUT} content HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," content "${content}")
  set(text "// Generated from openapi.json by src/api/embed.cmake.\n#include \"api/openapi.h\"\n\n")
  string(APPEND text "namespace candlewick::api {\nnamespace {\n\nconstexpr char document[] = {${content}0};\n\n")
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
  target_sources(candlewick_api PRIVATE ${openapi_cc})
endif()
