"""The network of a lab: a switch in a namespace of its own, and a link from it to each host.

A link is a veth pair, or, with delay or loss, a pair of TAP devices that a delay line joins. Its
end in the host is eth0, at the switch p0, p1 ...; a token bucket at each end makes it as fast as
asked.
"""
from delayline import start_delayline
from iproute import ip, namespaces, tc

NETWORK = "10.77.0"  # every lab has it: nothing of a lab touches another network
HOSTS_AT_MOST = 250
FRAME = 70_000  # bytes: the largest that TCP hands down at once must fit in the bucket
BURST = 1e-3  # seconds of the rate that may go at once
QUEUE = 50e-3  # seconds of the rate that may wait
SHORTEST_QUEUE = 1_000_000  # bytes


def address(host):
    """The IPv4 address of host number `host`."""
    return f"{NETWORK}.{host + 1}"


def host_namespace(lab, host):
    """The network namespace of host number `host`."""
    return f"nl-{lab}-h{host}"


def switch_namespace(lab):
    """The network namespace of the switch."""
    return f"nl-{lab}-switch"


def make_network(lab, plan):
    """Makes namespaces, switch and links as `plan` (a Plan) says."""
    switch = switch_namespace(lab)
    for namespace in [switch] + [host_namespace(lab, host) for host in range(plan.hosts)]:
        ip("netns", "add", namespace)
    ip("link", "add", "br0", "type", "bridge", namespace=switch)
    _make_links(lab, plan)
    for host in range(plan.hosts):
        _connect(lab, host, plan.congestion)
        set_rate(lab, host, plan.rates[host])
    ip("link", "set", "br0", "up", namespace=switch)


def set_rate(lab, host, bits_per_second):
    """Makes a host's link so fast each way, None: as fast as the machine is."""
    for namespace, device in _ends(lab, host):
        if bits_per_second is None:
            tc("qdisc", "replace", "dev", device, "root", "pfifo", namespace=namespace)
            tc("qdisc", "del", "dev", device, "root", namespace=namespace)
            continue
        burst = round(max(FRAME, bits_per_second / 8 * BURST))
        limit = round(max(SHORTEST_QUEUE, bits_per_second / 8 * QUEUE)) + burst
        bucket = ("rate", f"{round(bits_per_second)}bit", "burst", str(burst), "limit", str(limit))
        tc("qdisc", "replace", "dev", device, "root", "tbf", *bucket, namespace=namespace)


def plug(lab, host, on):
    """Restores a host's link at the switch, or cuts it."""
    ip("link", "set", f"p{host}", "up" if on else "down", namespace=switch_namespace(lab))


def plugged(lab, host):
    """Is a host's link whole?"""
    return bool(ip("-o", "link", "show", "dev", f"p{host}", "up", namespace=switch_namespace(lab)))


def remove_network(lab):
    """Removes the namespaces of a lab and with them its links. True if there were any."""
    found = namespaces(f"nl-{lab}-")
    for namespace in found:
        ip("netns", "del", namespace)
    return bool(found)


def _ends(lab, host):
    return (host_namespace(lab, host), "eth0"), (switch_namespace(lab), f"p{host}")


def _make_links(lab, plan):
    if plan.needs_delayline():
        pairs = [
            ",".join(":".join(end) for end in _ends(lab, host)) for host in range(plan.hosts)
        ]
        start_delayline(lab, plan.delay, plan.loss, pairs)
        return
    for host in range(plan.hosts):
        (namespace, device), (switch, port) = _ends(lab, host)
        peer = ("type", "veth", "peer", "name", port, "netns", switch)
        ip("link", "add", device, *peer, namespace=namespace)


def _connect(lab, host, congestion):
    (namespace, device), (switch, port) = _ends(lab, host)
    ip("link", "set", port, "master", "br0", "up", namespace=switch)
    ip("addr", "add", f"{address(host)}/24", "dev", device, namespace=namespace)
    for name in ("lo", device):
        ip("link", "set", name, "up", namespace=namespace)
    if congestion:
        way = (f"{NETWORK}.0/24", "dev", device, "src", address(host))
        ip("route", "replace", *way, "congctl", congestion, namespace=namespace)
