# Everything comes from the system's packages; nothing is downloaded. The installed package config includes
# this list too, so that a consumer finds the same libraries.
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(range-v3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL 7.75 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS regex)
