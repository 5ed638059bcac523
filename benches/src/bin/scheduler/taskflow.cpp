// Taskflow's side of the benchmark `scheduler`: for each line "check" or "time" on its input it builds one graph, runs
// it, drops it, and prints one JSON object. The shapes are those of `shapes.rs`.
//
//   taskflow SHAPE TASKS WORKERS SEED

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <taskflow/taskflow.hpp>

using std::uint32_t;
using std::uint64_t;

// The inputs of each task; they come before it.
struct Graph {
  std::vector<uint32_t> ends;
  std::vector<uint32_t> items;

  uint32_t tasks() const { return static_cast<uint32_t>(ends.size()); }
  const uint32_t* begin(uint32_t task) const { return items.data() + (task == 0 ? 0 : ends[task - 1]); }
  const uint32_t* end(uint32_t task) const { return items.data() + ends[task]; }

  void close_row() { ends.push_back(static_cast<uint32_t>(items.size())); }

  uint64_t checksum() const {
    uint64_t hash = 0xCBF29CE484222325;
    for (uint32_t word : ends) hash = (hash ^ word) * 0x0100000001B3;
    for (uint32_t word : items) hash = (hash ^ word) * 0x0100000001B3;
    return hash;
  }
};

static void chain(Graph& graph, uint32_t tasks) {
  for (uint32_t task = 0; task < tasks; ++task) {
    if (task > 0) graph.items.push_back(task - 1);
    graph.close_row();
  }
}

static void independent(Graph& graph, uint32_t tasks) {
  for (uint32_t task = 0; task < tasks; ++task) graph.close_row();
}

static void tree(Graph& graph, uint32_t tasks) {
  independent(graph, tasks / 2 + tasks % 2);
  std::vector<uint32_t> level(graph.tasks());
  for (uint32_t task = 0; task < graph.tasks(); ++task) level[task] = task;
  while (level.size() > 1) {
    std::vector<uint32_t> next;
    for (size_t at = 0; at + 1 < level.size(); at += 2) {
      graph.items.push_back(level[at]);
      graph.items.push_back(level[at + 1]);
      graph.close_row();
      next.push_back(graph.tasks() - 1);
    }
    if (level.size() % 2 == 1) next.push_back(level.back());
    level.swap(next);
  }
}

static void wavefront(Graph& graph, uint32_t tasks) {
  uint32_t side = 0;
  while (uint64_t(side + 1) * (side + 1) <= tasks) ++side;
  for (uint32_t task = 0; task < side * side; ++task) {
    if (task >= side) graph.items.push_back(task - side);
    if (task % side > 0) graph.items.push_back(task - 1);
    graph.close_row();
  }
}

static void random(Graph& graph, uint32_t tasks, uint64_t state) {
  auto draw = [&](uint32_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(state >> 33) % below;
  };
  for (uint32_t task = 0; task < tasks; ++task) {
    uint32_t count = task == 0 ? 0 : draw(5);
    for (uint32_t input = 0; input < count; ++input) {
      graph.items.push_back(task - 1 - draw(task < 1000 ? task : 1000));
    }
    graph.close_row();
  }
}

static void fan(Graph& graph, uint32_t tasks) {
  graph.close_row();
  uint32_t last = tasks - 1;
  for (uint32_t task = 1; task < last; ++task) {
    graph.items.push_back(0);
    graph.close_row();
  }
  if (last == 0) return;
  for (uint32_t input = last == 1 ? 0 : 1; input < last; ++input) graph.items.push_back(input);
  graph.close_row();
}

static Graph generate(const std::string& shape, uint32_t tasks, uint64_t seed) {
  Graph graph;
  if (shape == "chain") chain(graph, tasks);
  if (shape == "independent") independent(graph, tasks);
  if (shape == "tree") tree(graph, tasks);
  if (shape == "wavefront") wavefront(graph, tasks);
  if (shape == "random") random(graph, tasks, seed);
  if (shape == "fan") fan(graph, tasks);
  return graph;
}

// Did every task run once, after its inputs? The marks are relaxed: it is the scheduler that must order tasks.
struct Watch {
  const Graph& graph;
  std::vector<std::atomic<uint32_t>> runs;
  std::atomic<uint32_t> early{0};

  explicit Watch(const Graph& graph) : graph(graph), runs(graph.tasks()) {}

  void run(uint32_t task) {
    for (auto input = graph.begin(task); input != graph.end(task); ++input) {
      if (runs[*input].load(std::memory_order_relaxed) != 1) early.fetch_add(1, std::memory_order_relaxed);
    }
    runs[task].fetch_add(1, std::memory_order_relaxed);
  }

  uint64_t wrong() const {
    uint64_t wrong = early.load(std::memory_order_relaxed);
    for (const auto& count : runs) wrong += count.load(std::memory_order_relaxed) != 1;
    return wrong;
  }
};

// Bytes in use, as the allocator sees them; 0 where it cannot be asked.
static uint64_t allocated() {
#if defined(__GLIBC__)
  auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

using Time = std::chrono::steady_clock;

static double ms(Time::time_point from, Time::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

struct Round {
  double build, run, teardown;
  uint64_t bytes;
};

// Taskflow keeps the whole graph while it runs, so that the bytes at the end of the run are the most.
template <typename Body>
static Round run_once(const Graph& graph, tf::Executor& executor, bool counts_bytes, Body body) {
  uint64_t before = counts_bytes ? allocated() : 0;
  auto start = Time::now();
  auto flow = std::make_unique<tf::Taskflow>();
  {
    std::vector<tf::Task> tasks;
    tasks.reserve(graph.tasks());
    for (uint32_t task = 0; task < graph.tasks(); ++task) {
      tasks.push_back(flow->emplace([body, task] { body(task); }));
      for (auto input = graph.begin(task); input != graph.end(task); ++input) {
        tasks[*input].precede(tasks[task]);
      }
    }
  }
  auto built = Time::now();
  executor.run(*flow).wait();
  auto ran = Time::now();
  uint64_t bytes = counts_bytes ? allocated() - before : 0;
  auto dropping = Time::now();
  flow.reset();
  return {ms(start, built), ms(built, ran), ms(dropping, Time::now()), bytes};
}

static void print(const Graph& graph, uint64_t checksum, const Round& round, uint64_t wrong) {
  std::printf("{\"edges\": %zu, \"checksum\": %llu, \"wrong\": %llu, \"build_ms\": %.6f, \"order_ms\": 0.0, "
              "\"run_ms\": %.6f, \"teardown_ms\": %.6f, \"bytes\": %llu}\n",
              graph.items.size(), static_cast<unsigned long long>(checksum), static_cast<unsigned long long>(wrong),
              round.build, round.run, round.teardown, static_cast<unsigned long long>(round.bytes));
  std::fflush(stdout);
}

int main(int count, char** args) {
  if (count != 5) {
    std::fprintf(stderr, "usage: taskflow SHAPE TASKS WORKERS SEED\n");
    return 2;
  }
  Graph graph = generate(args[1], static_cast<uint32_t>(std::strtoul(args[2], nullptr, 10)),
                         std::strtoull(args[4], nullptr, 10));
  uint64_t checksum = graph.checksum();
  tf::Executor executor(std::strtoul(args[3], nullptr, 10));
  for (std::string order; std::getline(std::cin, order);) {
    if (order == "check") {
      Watch watch(graph);
      Round round = run_once(graph, executor, true, [&watch](uint32_t task) { watch.run(task); });
      print(graph, checksum, round, watch.wrong());
    } else {
      // The compiler must suppose that the number is looked at.
      Round round = run_once(graph, executor, false, [](uint32_t task) { asm volatile("" : : "r"(task)); });
      print(graph, checksum, round, 0);
    }
  }
  return 0;
}
