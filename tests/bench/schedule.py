"""What a poll's planning costs for any number of tasks, by the very code that the orchestrator runs."""

import time

from .figures import spread
from .schedule_world import BEGIN, World, random_tasks

POLLS = 100


def planning(sizes, rounds):
    """Return milliseconds per poll by the number of tasks, quiet and while heavy work queues up."""
    found = {}
    for size in sizes:
        tasks = random_tasks(size, seed=1, heavy=0.3, every=(120.0, 3600.0))
        world = World(tasks, seed=1, starved_after=900.0, durations=(1.0, 20.0), failing=0.05)
        costs = []
        for number in range(max(POLLS, rounds)):
            began = time.perf_counter()
            world.poll(BEGIN + 3.0 * number)
            costs.append((time.perf_counter() - began) * 1e3)
        found[str(size)] = spread(costs, 2) | {"starts": len(world.starts), "prevented": world.prevented}
    return found
