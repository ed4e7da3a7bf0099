"""PyTorch beside `entrain bench strategy`: one rank of DistributedDataParallel and of PostLocalSGDOptimizer.

Called as `python -c SCRIPT RANK SIZE ADDRESS PORT THREADS BATCH`. Says `ready`, and then measures what each line of its
input asks for, `MODEL METHOD WARM STEPS`, and answers `SECONDS CPU_SECONDS` of its steps after the warm ones. MODEL is
`mlp:320,128`, `softmax` or `cnn`, METHOD `ddp` or `post_local_sgd:H`; `forget` drops the models so far. Batches are made
beforehand.
"""
import datetime
import resource
import sys
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks.post_localSGD_hook import PostLocalSGDState, post_localSGD_hook
from torch.distributed.algorithms.model_averaging.averagers import PeriodicModelAverager
from torch.distributed.optim import PostLocalSGDOptimizer
from torch.nn.parallel import DistributedDataParallel

BATCHES = 4


def network(text):
    if text == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 10))  # fmt: skip
    widths = [784, *(int(width) for width in text.partition(":")[2].split(",") if width)]
    layers = [nn.Flatten()]
    for before, width in zip(widths, widths[1:]):
        layers += [nn.Linear(before, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 10))


class Loop:
    """One model and method; the documented recipes."""

    def __init__(self, model, method, rank, size, batch):
        torch.manual_seed(1)
        generator = torch.Generator().manual_seed(100 + rank)
        self.inputs = torch.randn(BATCHES, batch, 1, 28, 28, generator=generator)
        self.labels = torch.randint(10, (BATCHES, batch), generator=generator)
        self.loss = nn.CrossEntropyLoss()
        self.model = DistributedDataParallel(network(model))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        if method != "ddp":
            self.average_periodically(int(method.partition(":")[2]), rank, size)

    def average_periodically(self, period, rank, size):
        # A subgroup for each process, so that the hook's average of gradients costs no message; all ranks make all groups.
        own = [dist.new_group([other]) for other in range(size)][rank]
        state = PostLocalSGDState(process_group=None, subgroup=own, start_localSGD_iter=0)
        self.model.register_comm_hook(state, post_localSGD_hook)
        averager = PeriodicModelAverager(period=period, warmup_steps=0)
        self.optimizer = PostLocalSGDOptimizer(self.optimizer, averager)

    def run(self, steps):
        for i in range(steps):
            self.optimizer.zero_grad()
            self.loss(self.model(self.inputs[i % BATCHES]), self.labels[i % BATCHES]).backward()
            self.optimizer.step()


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    rank, size, address, port, threads, batch = sys.argv[1:]
    rank, size = int(rank), int(size)
    torch.set_num_threads(int(threads))
    meeting = f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
    patience = datetime.timedelta(minutes=10)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size, timeout=patience)
    print("ready", flush=True)
    loops = {}
    for line in sys.stdin:
        if line.strip() == "forget":
            loops.clear()
            continue
        model, method, warm, steps = line.split()
        if (model, method) not in loops:
            loops[model, method] = Loop(model, method, rank, size, int(batch))
        dist.barrier()
        loops[model, method].run(int(warm))
        begin, begin_cpu = time.perf_counter(), cpu_seconds()
        loops[model, method].run(int(steps))
        print(time.perf_counter() - begin, cpu_seconds() - begin_cpu, flush=True)


main()
