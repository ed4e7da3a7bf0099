# entrain_target(name [LINKS ...] [LIBRARIES ...] [EXCEPT regex]): one static library per folder of src/entrain, all
# its .cpp files but the tests, and those that match the regex, compiled as one unit. The links given are the only
# other folders whose headers it may include; tests/layers.sh proves that they are.
function(entrain_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCEPT" "LINKS;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  if(arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "${arg_EXCEPT}")
  endif()
  add_library(entrain_${name} STATIC ${sources})
  set_target_properties(entrain_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  target_compile_features(entrain_${name} PUBLIC cxx_std_20)
  target_include_directories(entrain_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM arg_LINKS PREPEND entrain_)
  target_link_libraries(entrain_${name} PUBLIC ${arg_LINKS} ${arg_LIBRARIES})
endfunction()
