// What this disk can do at best, for the benchmarks: durable appends and LMDB commits per second.
//   floors DIRECTORY SECONDS
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double appends_per_second(const std::string& path, std::size_t size, double seconds) {
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  const std::vector<char> bytes(size, 'x');
  long count = 0;
  const double begin = now();
  while (now() < begin + seconds) {
    if (write(fd, bytes.data(), size) != static_cast<ssize_t>(size) || fdatasync(fd) != 0) std::abort();
    ++count;
  }
  const double rate = static_cast<double>(count) / (now() - begin);
  close(fd);
  unlink(path.c_str());
  return rate;
}

double commits_per_second(const std::string& directory, std::size_t size, int puts, double seconds) {
  std::filesystem::create_directories(directory);
  MDB_env* env = nullptr;
  mdb_env_create(&env);
  mdb_env_set_mapsize(env, std::size_t{4} << 30);
  if (mdb_env_open(env, directory.c_str(), MDB_NOTLS, 0600) != 0) std::abort();
  std::vector<char> bytes(size, 'x');
  MDB_dbi dbi = 0;
  long count = 0;
  std::uint64_t key = 0;
  const double begin = now();
  while (now() < begin + seconds) {
    MDB_txn* txn = nullptr;
    mdb_txn_begin(env, nullptr, 0, &txn);
    mdb_dbi_open(txn, nullptr, 0, &dbi);
    for (int i = 0; i < puts; ++i) {
      const std::uint64_t big = __builtin_bswap64(++key);
      MDB_val k{sizeof big, const_cast<std::uint64_t*>(&big)}, v{bytes.size(), bytes.data()};
      if (mdb_put(txn, dbi, &k, &v, 0) != 0) std::abort();
    }
    if (mdb_txn_commit(txn) != 0) std::abort();
    ++count;
  }
  const double rate = static_cast<double>(count) / (now() - begin);
  mdb_env_close(env);
  std::filesystem::remove_all(directory);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : ".";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  std::printf("RESULT floor=append_4k per_s=%.0f\n", appends_per_second(directory + "/floor.dat", 4096, seconds));
  std::printf("RESULT floor=append_64k per_s=%.0f\n", appends_per_second(directory + "/floor.dat", 65536, seconds));
  std::printf("RESULT floor=lmdb_commit_1x200 per_s=%.0f\n", commits_per_second(directory + "/floor.lmdb", 200, 1, seconds));
  std::printf("RESULT floor=lmdb_commit_10x200 per_s=%.0f\n", commits_per_second(directory + "/floor.lmdb", 200, 10, seconds));
  return 0;
}
