#!/usr/bin/env python3
# The networks of train_bench.c in PyTorch, on the processor.
# SPDX-License-Identifier: Apache-2.0
#
# usage: train_torch.py DEPTH THREADS STEPS
# DEPTH 3 x 3 convolutions of 16, 32 and 64 channels, each with batch norm and ReLU, a max pool between;
# mean and dense layer; SGD with Nesterov's momentum and weight decay. Prints images per second of
# processor time and per second, of the better memory format.
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    print("SKIPPED: PyTorch is not there", file=sys.stderr)
    sys.exit(77)

BATCH, WARM_STEPS = 128, 3


def network(depth):
    layers, channels = [], 1
    for stage in range(3):
        if stage:
            layers.append(nn.MaxPool2d(2))
        for _ in range(depth):
            width = 16 << stage
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def measure(depth, steps, layout):
    torch.manual_seed(1)
    net = network(depth).to(memory_format=layout)
    images = torch.randint(0, 256, (BATCH * steps, 1, 28, 28), dtype=torch.uint8)
    labels = torch.arange(BATCH * steps) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=5e-4)
    loss_of = nn.CrossEntropyLoss()
    order = torch.randperm(BATCH * steps)
    start = None
    for step in range(steps):
        if step == WARM_STEPS:
            start = time.process_time(), time.monotonic()
        chosen = order[step * BATCH : (step + 1) * BATCH]
        batch = (images[chosen].float() / 255).to(memory_format=layout)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(batch), labels[chosen])
        loss.backward()
        optimizer.step()
        loss.item()
    count = BATCH * (steps - WARM_STEPS)
    return count / (time.process_time() - start[0]), count / (time.monotonic() - start[1])


depth, threads, steps = map(int, sys.argv[1:])
torch.set_num_threads(threads)
best = max(measure(depth, steps, layout) for layout in (torch.contiguous_format, torch.channels_last))
print("%.1f %.1f" % best)
