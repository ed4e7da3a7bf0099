#!/usr/bin/env python3
"""What `entrain train data.name=mnist model.name=cnn strategy.preset=synchronous` does, in PyTorch:
DistributedDataParallel on Gloo, with the same network, initialisation, batches of a worker,
optimizer, learning rate and evaluations, and the same figures in its run folder.

A launcher tells the rank (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), as torchrun and netlab do:

  netlab with --hosts 4 --rate 100mbit -- /usr/bin/python3 bench/peers/mnist_ddp.py --out /tmp/ddp

All batches are made before the clock starts. Needs PyTorch and numpy.
"""
import argparse
import gzip
import json
import math
import os
import time

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

MEAN, DEVIATION = 0.1307, 0.3081
TEST_BATCH = 500


def main():
    arguments = _arguments()
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    try:
        _train(arguments)
    finally:
        dist.destroy_process_group()


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="data", help="folder that has mnist/ (default: data)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=64, help="samples of a worker and step")
    parser.add_argument("--lr", type=float, default=0.1, help="of SGD with a momentum of 0.9")
    parser.add_argument("--warmup", type=int, default=120, help="steps from a tenth of the rate")
    parser.add_argument("--evaluate-every", type=int, default=40, help="steps")
    parser.add_argument("--out", required=True, help="run folder, which must not exist")
    return parser.parse_args()


def _train(arguments):
    rank, steps = dist.get_rank(), arguments.steps
    network = _network(arguments.seed)
    model = DistributedDataParallel(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=arguments.lr, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: _factor(done, steps, arguments.warmup)
    )
    batches = _batches(arguments, _samples(arguments.data, "train"))
    test = _samples(arguments.data, "t10k")
    evaluations, seconds = [], 0.0
    dist.barrier()
    began = segment = time.perf_counter()
    for step, (inputs, labels) in enumerate(batches, 1):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        schedule.step()
        if step % arguments.evaluate_every and step < steps:
            continue
        now = time.perf_counter()
        seconds += now - segment
        accuracy = _accuracy(network, test)
        dist.barrier()
        segment = time.perf_counter()
        evaluations.append(
            {
                "kind": "evaluation",
                "step": step,
                "seconds": segment - began,
                "evaluation_seconds": segment - now,
                "test_accuracy": accuracy,
            }
        )
    if rank == 0:
        _write(arguments, network, evaluations, seconds)


def _network(seed):
    """The layers of src/entrain/model/cnn.cpp, in its order, with torch's initialisation."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def _factor(done, steps, warmup):
    """warmup(WARMUP, from=0.1) * cosine, after `done` steps."""
    rising = 0.1 + 0.9 * done / warmup if done < warmup else 1.0
    return rising * 0.5 * (1 + math.cos(math.pi * done / steps))


def _samples(root, part):
    """Images [n, 28, 28] and labels [n], as bytes."""
    return _idx(root, f"{part}-images-idx3-ubyte", 16), _idx(root, f"{part}-labels-idx1-ubyte", 8)


def _idx(root, name, header):
    path = os.path.join(root, "mnist", name)
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as file:
        content = np.frombuffer(file.read(), np.uint8)[header:]
    return content.reshape(-1, 28, 28) if header == 16 else content


def _batches(arguments, samples):
    """This rank's, pass by pass over its share of the samples, each pass in a new order; what is
    left at the end of a pass is a batch too."""
    rank, size = dist.get_rank(), dist.get_world_size()
    images, labels = samples
    dealt = np.random.default_rng(arguments.seed).permutation(len(labels))
    share = dealt[rank * (len(labels) // size) :][: len(labels) // size]
    order = np.random.default_rng([arguments.seed, rank])
    batches = []
    while len(batches) < arguments.steps:
        shuffled = order.permutation(share)
        batches += [
            _tensors(images[chosen], labels[chosen])
            for chosen in np.split(shuffled, range(arguments.batch, len(share), arguments.batch))
        ]
    return batches[: arguments.steps]


def _tensors(images, labels):
    inputs = (torch.from_numpy(images.astype(np.float32)) / 255 - MEAN) / DEVIATION
    return inputs.unsqueeze(1), torch.from_numpy(labels.astype(np.int64))


def _accuracy(network, samples):
    """The ranks share the test samples out."""
    images, labels = samples
    right = torch.zeros(1, dtype=torch.int64)
    own = range(dist.get_rank() * TEST_BATCH, len(labels), dist.get_world_size() * TEST_BATCH)
    with torch.no_grad():
        for begin in own:
            end = begin + TEST_BATCH
            inputs, wanted = _tensors(images[begin:end], labels[begin:end])
            right += network(inputs).argmax(1).eq(wanted).sum()
    dist.all_reduce(right)
    return right.item() / len(labels)


def _write(arguments, network, evaluations, seconds):
    size = dist.get_world_size()
    gradients = sum(4 * values.numel() for values in network.parameters())
    summary = {
        "strategy": "PyTorch DDP",
        "steps": arguments.steps,
        "workers": size,
        "seed": arguments.seed,
        "test_accuracy": evaluations[-1]["test_accuracy"],
        "wall_seconds": seconds,
        "bytes_sent_per_worker": arguments.steps * 2 * (size - 1) / size * gradients,
    }
    os.makedirs(arguments.out)
    with open(os.path.join(arguments.out, "metrics.jsonl"), "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in evaluations)
    with open(os.path.join(arguments.out, "summary.json"), "w") as file:
        json.dump(summary, file, indent=2)


if __name__ == "__main__":
    main()
