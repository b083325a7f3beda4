# Puts the files under sql/ and this folder's tables of assets and exchanges into the binary, as a table
# of (path, text): the program needs no folder beside it to migrate a warehouse. Included by
# src/CMakeLists.txt; run again as a script by the build.
if(CMAKE_SCRIPT_MODE_FILE)
  set(text "// Generated from sql/ and src/warehouse/*.csv by src/warehouse/embed.cmake.\n#include \"warehouse/embedded.h\"\n\n")
  string(APPEND text "#include <array>\n\nnamespace candlewick::warehouse {\nnamespace {\n\n")
  set(rows "")
  file(GLOB_RECURSE sql_files RELATIVE ${SQL_DIR} ${SQL_DIR}/*.sql)
  file(GLOB tables RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/warehouse/*.csv)
  set(files ${sql_files} ${tables})
  list(SORT files)
  set(count 0)
  foreach(file IN LISTS files)
    if(file MATCHES "\\.csv$")
      file(READ ${SOURCE_DIR}/${file} content HEX)
    else()
      file(READ ${SQL_DIR}/${file} content HEX)
    endif()
    # As bytes: neither the length of a literal nor anything inside a file can matter.
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," content "${content}")
    string(APPEND text "constexpr char file_${count}[] = {${content}0};\n")
    string(APPEND rows "    {\"${file}\", {file_${count}, sizeof(file_${count}) - 1}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  string(APPEND text "constexpr std::array<EmbeddedFile, ${count}> files{{\n${rows}}};\n\n}  // namespace\n\n")
  string(APPEND text "std::span<const EmbeddedFile> embedded_files() { return files; }\n\n")
  string(APPEND text "}  // namespace candlewick::warehouse\n")
  file(WRITE ${OUTPUT}.new "${text}")
  file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
  file(REMOVE ${OUTPUT}.new)
else()
  set(embed_script ${CMAKE_CURRENT_LIST_FILE})
  set(embedded ${CMAKE_CURRENT_BINARY_DIR}/embedded_files.cc)
  file(GLOB_RECURSE sql_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sql/*.sql ${CMAKE_CURRENT_LIST_DIR}/*.csv)
  add_custom_command(
    OUTPUT ${embedded}
    COMMAND ${CMAKE_COMMAND} -DSQL_DIR=${PROJECT_SOURCE_DIR}/sql -DSOURCE_DIR=${PROJECT_SOURCE_DIR}/src -DOUTPUT=${embedded} -P ${embed_script}
    COMMAND ${CMAKE_COMMAND} -E touch ${embedded}
    DEPENDS ${sql_files} ${embed_script}
    COMMENT "Embedding sql/"
    VERBATIM)
  target_sources(candlewick_warehouse PRIVATE ${embedded})
endif()
