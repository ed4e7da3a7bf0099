"""The methods that the benches compare."""
import dataclasses


def overlap_int8(h):
    """overlap_local_sgd(h), its progress in int8, a quarter of the bytes."""
    return (
        f"deltas(when=every({h}), codec=error_feedback(int8), outer=momentum(0.7, true), "
        "merge=pull(0.6), delay=period(first=anchor))"
    )


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to train."""

    name: str
    strategy: str  # as entrain has it; "": PyTorch's DDP
    period: int = 1  # steps after which it begins anew
    lr: float = 0.1  # chosen by `accuracy.py --tune`


# First those of accuracy.py, with periods at which a message of the model `cnn` is hidden behind
# the steps at 100 Mbit/s.
METHODS = (
    Method("ddp", ""),
    Method("synchronous", "synchronous"),
    Method("local", "local_sgd(8)", 8),
    Method("overlap", "overlap_local_sgd(8, alpha=0.4)", 8, lr=0.14),
    Method("overlap_int8", overlap_int8(4), 4, lr=0.14),
    Method("gossip_pga", "gossip_pga(one_peer_exponential, 8)", 8),
    Method("gossip_pga_ring", "gossip_pga(ring, 8)", 8),
    Method("local_1", "local_sgd(1)", 1),
    Method("local_4", "local_sgd(4)", 4),
    Method("local_16", "local_sgd(16)", 16),
    Method("overlap_16", "overlap_local_sgd(16)", 16),
    Method("overlap_int8_16", overlap_int8(16), 16),
)


def methods_named(text):
    """'ddp,local' -> those methods. Throws ValueError that quotes a name that there is not."""
    named = {method.name: method for method in METHODS}
    for name in text.split(","):
        if name not in named:
            raise ValueError(f"{name!r}: no such method; there are {', '.join(named)}")
    return [named[name] for name in text.split(",")]
