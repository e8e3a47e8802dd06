"""Bits of a deflate block, given how often each symbol occurs in it (RFC 1951; zlib's trees.c)."""

import numpy as np
from numba import njit

EXTRA_LENGTH = np.array([0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0])
EXTRA_DISTANCE = np.array([0, 0] + [extra for extra in range(14) for _ in range(2)])
EXTRA_OF_LITERALS = np.concatenate([np.zeros(257, dtype=np.int64), EXTRA_LENGTH])
EXTRA_OF_LENGTHS = np.array([0] * 16 + [2, 3, 7])
FIXED_LITERALS = np.array([8] * 144 + [9] * 112 + [7] * 24 + [8] * 6)
FIXED_DISTANCES = np.full(30, 5)
FIXED_NONE = np.zeros(19, dtype=np.int64)
ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])  # of the lengths of lengths
# A node in the heap is one number, weight, depth and name from the left: zlib's order is by weight, then depth.
NODE_BITS, WEIGHT_SHIFT = 10, 18
NODE_MASK, DEPTH_MASK = (1 << NODE_BITS) - 1, (1 << WEIGHT_SHIFT - NODE_BITS) - 1


def _length_codes() -> np.ndarray:
    codes, length = np.zeros(259, dtype=np.int64), 3
    for code in range(28):
        for _ in range(1 << EXTRA_LENGTH[code]):
            codes[min(length, 258)] = code
            length += 1
    codes[258] = 28
    return codes


def _distance_codes() -> np.ndarray:
    return np.repeat(np.arange(30), 1 << EXTRA_DISTANCE).astype(np.uint8)


LENGTH_CODES, DISTANCE_CODES = _length_codes(), _distance_codes()


@njit(cache=True)
def block_bits(literals, distances, bits, n_bytes, last):
    """Bits of the stream after this block, which takes the shortest of its three forms.

    Parameters
    ----------
    literals, distances : number of each symbol, the end of the block included; 286 and 30 of them.
    bits : of the stream before.
    n_bytes : of the text in this block.
    last : fills the last byte.
    """
    lengths_l, lengths_d, lengths_b = np.zeros(287, np.int64), np.zeros(31, np.int64), np.zeros(20, np.int64)
    most_l, own_l, fixed_l = _code_lengths(literals, EXTRA_OF_LITERALS, FIXED_LITERALS, 15, lengths_l)
    most_d, own_d, fixed_d = _code_lengths(distances, EXTRA_DISTANCE, FIXED_DISTANCES, 15, lengths_d)
    of_lengths = np.zeros(19, np.int32)
    _count_lengths(lengths_l, most_l, of_lengths)
    _count_lengths(lengths_d, most_d, of_lengths)
    _, own_b, _ = _code_lengths(of_lengths, EXTRA_OF_LENGTHS, FIXED_NONE, 7, lengths_b)
    sent = 18
    while sent >= 3 and lengths_b[ORDER[sent]] == 0:
        sent -= 1
    own = own_l + own_d + own_b + 3 * (sent + 1) + 14
    fixed = fixed_l + fixed_d
    own_bytes, fixed_bytes = (own + 10) >> 3, (fixed + 10) >> 3
    if n_bytes + 4 <= min(own_bytes, fixed_bytes):
        bits = ((bits + 3 + 7) // 8 + 4 + n_bytes) * 8
    elif fixed_bytes <= own_bytes:
        bits += 3 + fixed
    else:
        bits += 3 + own
    return (bits + 7) // 8 * 8 if last else bits


@njit(cache=True)
def _count_lengths(lengths, most, of_lengths):
    """Add the symbols that send the code lengths 0 to `most`, runs taken together."""
    lengths[most + 1] = -1
    previous, count = -1, 0
    highest, lowest = (138, 3) if lengths[0] == 0 else (7, 4)
    for symbol in range(most + 1):
        current, following = lengths[symbol], lengths[symbol + 1]
        count += 1
        if count < highest and current == following:
            continue
        if count < lowest:
            of_lengths[current] += count
        elif current != 0:
            if current != previous:
                of_lengths[current] += 1
            of_lengths[16] += 1
        elif count <= 10:
            of_lengths[17] += 1
        else:
            of_lengths[18] += 1
        count, previous = 0, current
        if following == 0:
            highest, lowest = 138, 3
        elif current == following:
            highest, lowest = 6, 3
        else:
            highest, lowest = 7, 4


@njit(cache=True)
def _sink(heap, size, place):
    moved = heap[place]
    child = 2 * place
    while child <= size:
        if child < size and heap[child + 1] >> NODE_BITS <= heap[child] >> NODE_BITS:
            child += 1
        if moved >> NODE_BITS <= heap[child] >> NODE_BITS:
            break
        heap[place] = heap[child]
        place, child = child, 2 * child
    heap[place] = moved


@njit(cache=True)
def _code_lengths(counts, extra, fixed, longest, lengths):
    """Fill in the length of every symbol's code as zlib builds it.

    Returns the last symbol that has one, the bits of all symbols by this code and by the fixed one, extra bits
    included.
    """
    n_symbols = len(counts)
    weight = np.empty(2 * n_symbols + 1, np.int64)
    parent, bits_of = np.zeros(2 * n_symbols + 1, np.int64), np.zeros(2 * n_symbols + 1, np.int64)
    heap, taken = np.empty(n_symbols + 2, np.int64), np.empty(2 * n_symbols + 1, np.int64)
    size, most, own, by_fixed = 0, -1, 0, 0
    for symbol in range(n_symbols):
        weight[symbol] = counts[symbol]
        if counts[symbol]:
            size += 1
            heap[size] = np.int64(counts[symbol]) << WEIGHT_SHIFT | symbol
            most = symbol
    while size < 2:  # zlib gives at least two symbols a code
        forced = 0
        if most < 2:
            most += 1
            forced = most
        size += 1
        heap[size] = np.int64(1) << WEIGHT_SHIFT | forced
        weight[forced] = 1
        own -= 1
        by_fixed -= fixed[forced]
    for place in range(size // 2, 0, -1):
        _sink(heap, size, place)
    node, n_taken = n_symbols, 0
    while size >= 2:
        one = heap[1]
        heap[1] = heap[size]
        size -= 1
        _sink(heap, size, 1)
        other = heap[1]
        taken[n_taken], taken[n_taken + 1] = one & NODE_MASK, other & NODE_MASK
        n_taken += 2
        parent[one & NODE_MASK] = parent[other & NODE_MASK] = node
        depth = max(one >> NODE_BITS & DEPTH_MASK, other >> NODE_BITS & DEPTH_MASK) + 1
        heap[1] = ((one >> WEIGHT_SHIFT) + (other >> WEIGHT_SHIFT)) << WEIGHT_SHIFT | depth << NODE_BITS | node
        node += 1
        _sink(heap, size, 1)
    of_length, overflow = np.zeros(longest + 1, np.int64), 0
    for place in range(n_taken - 1, -1, -1):  # from the root down
        one = taken[place]
        bits = bits_of[parent[one]] + 1
        if bits > longest:
            bits = longest
            overflow += 1
        bits_of[one] = bits
        if one < n_symbols:
            of_length[bits] += 1
            own += weight[one] * (bits + extra[one])
            by_fixed += weight[one] * (fixed[one] + extra[one])
    if overflow:
        own += _shorten(of_length, overflow, longest, taken, bits_of, weight, n_symbols)
    for symbol in range(n_symbols):
        lengths[symbol] = bits_of[symbol]
    return most, own, by_fixed


@njit(cache=True)
def _shorten(of_length, overflow, longest, taken, bits_of, weight, n_symbols):
    """Bring codes down to the longest allowed, the rarest symbols first; returns the bits that this costs."""
    while overflow > 0:
        bits = longest - 1
        while of_length[bits] == 0:
            bits -= 1
        of_length[bits] -= 1
        of_length[bits + 1] += 2
        of_length[longest] -= 1
        overflow -= 2
    cost, place = 0, 0
    for bits in range(longest, 0, -1):
        left = of_length[bits]
        while left:
            one = taken[place]
            place += 1
            if one >= n_symbols:
                continue
            cost += (bits - bits_of[one]) * weight[one]
            bits_of[one] = bits
            left -= 1
    return cost
