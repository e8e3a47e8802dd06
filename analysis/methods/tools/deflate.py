"""How many bytes zlib makes of a text at level 9, without making them; texts that begin alike share the work.

Deflate finds repeats greedily within 32 kB and closes a block every 16,383 symbols (RFC 1951; zlib 1.2.12 up,
`deflate_slow`). A size needs the symbols only by their number in the open block, so what a text that continues
this one adds is found by going on from here and taking everything back afterwards.
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numba import njit

from analysis.methods.tools.huffman import DISTANCE_CODES, LENGTH_CODES, block_bits

WINDOW = 32_768
MASK = WINDOW - 1
FARTHEST = WINDOW - 262  # of a repeat, in bytes
SHORTEST, LONGEST = 3, 258
TOO_FAR = 4_096  # for a repeat of three bytes
GOOD, CHAIN = 32, 4_096  # level 9: candidates that are looked at, a quarter of them after a repeat of 32 bytes
BLOCK = 16_383  # symbols
HEADER_AND_CHECKSUM = 6  # bytes
ENDINGS_PER_THREAD = 64  # fewer take less time than a thread and its copy of the state
# Of the state: bytes so far, place of the next byte, repeat at the byte before it (length, start, whether that
# byte waits to be written), symbols in the open block, where it began, bits of the closed ones.
NEWEST, NEWEST_OF_FOUR, OLDER, OLDER_OF_FOUR, NUMBER = range(5)
LENGTH, PLACE, REPEAT, START, WAITING, SYMBOLS, BEGIN, BITS, N_STATE = range(9)


class Deflate:
    """A text that grows; `sizes_with` tells how large it would be, compressed, with each of many endings."""

    def __init__(self) -> None:
        self.data = np.zeros(1 << 16, dtype=np.uint8)
        # Last place of each hash of three bytes and of four (0 = none, as in zlib); for each place the one before
        # of the same hash, and how many of the same hash of three bytes came before it.
        self.chains = np.zeros((5, WINDOW), dtype=np.int32)
        self.literals, self.distances = np.zeros(286, dtype=np.int32), np.zeros(30, dtype=np.int32)
        self.literals[256] = 1
        self.state = np.zeros(N_STATE, dtype=np.int64)
        self.state[REPEAT] = SHORTEST - 1

    def add(self, text: bytes) -> None:
        """Append for good."""
        self._reserve(len(text))
        length = int(self.state[LENGTH])
        self.data[length : length + len(text)] = np.frombuffer(text, dtype=np.uint8)
        self.state[LENGTH] += len(text)
        log = np.zeros((1, 7), dtype=np.int32)
        _advance(self.data, self.chains, self.literals, self.distances, self.state, False, log)

    def sizes_with(self, blob: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Bytes of zlib.compress(text so far + blob[start:end], 9) for every start and end; int64."""
        longest = int((ends - starts).max(initial=0))
        self._reserve(longest)
        pending = int(self.state[LENGTH] - self.state[PLACE])
        sizes = np.empty(len(starts), dtype=np.int64)

        def measure(part: int) -> None:
            # The first part tries its endings in place, the others in copies, as all are taken back.
            data, chains = (self.data, self.chains) if part == 0 else copies[part]
            log = np.zeros((longest + pending, 7), dtype=np.int32)
            every = slice(part, None, parts)
            states = self.literals, self.distances, self.state
            sizes[every] = _sizes(data, chains, *states, blob, starts[every], ends[every], log)

        parts = max(1, min(numba.get_num_threads(), len(starts) // ENDINGS_PER_THREAD))
        copies = {part: (self.data.copy(), self.chains.copy()) for part in range(1, parts)}
        if parts == 1:
            measure(0)
        else:
            with ThreadPoolExecutor(parts) as threads:
                list(threads.map(measure, range(parts)))
        return sizes

    def _reserve(self, more: int) -> None:
        needed = int(self.state[LENGTH]) + more + LONGEST
        if needed > len(self.data):
            grown = np.zeros(2 * needed, dtype=np.uint8)
            grown[: len(self.data)] = self.data
            self.data = grown


@njit(cache=True, nogil=True)
def _sizes(data, chains, literals, distances, state, blob, starts, ends, log):
    sizes = np.empty(len(starts), dtype=np.int64)
    trial, of_literals, of_distances = state.copy(), literals.copy(), distances.copy()
    for number in range(len(starts)):
        length, added = state[LENGTH], ends[number] - starts[number]
        data[length : length + added] = blob[starts[number] : ends[number]]
        trial[:], of_literals[:], of_distances[:] = state, literals, distances
        trial[LENGTH] += added
        entered = _advance(data, chains, of_literals, of_distances, trial, True, log)
        for entry in range(entered - 1, -1, -1):
            _take_back(chains, state[PLACE] + entry, log[entry])
        sizes[number] = HEADER_AND_CHECKSUM + (trial[BITS] + 7) // 8
    return sizes


@njit(cache=True)
def _enter(data, chains, place, ahead, log):
    """Enter a place into the chains and return the place that was the newest of its hash of three bytes."""
    hashed = ((np.int64(data[place]) << 10) ^ (np.int64(data[place + 1]) << 5) ^ np.int64(data[place + 2])) & MASK
    before, slot = chains[NEWEST, hashed], place & MASK
    log[0], log[1], log[2], log[3] = hashed, before, chains[OLDER, slot], chains[NUMBER, slot]
    chains[NUMBER, slot] = chains[NUMBER, before & MASK] + 1
    chains[OLDER, slot], chains[NEWEST, hashed] = before, place
    log[4] = -1
    if ahead > SHORTEST:
        of_four = _hash_of_four(data, place)
        log[4], log[5], log[6] = of_four, chains[NEWEST_OF_FOUR, of_four], chains[OLDER_OF_FOUR, slot]
        chains[OLDER_OF_FOUR, slot] = chains[NEWEST_OF_FOUR, of_four]
        chains[NEWEST_OF_FOUR, of_four] = place
    return before


@njit(cache=True)
def _take_back(chains, place, log):
    slot = place & MASK
    chains[NEWEST, log[0]], chains[OLDER, slot], chains[NUMBER, slot] = log[1], log[2], log[3]
    if log[4] >= 0:
        chains[NEWEST_OF_FOUR, log[4]], chains[OLDER_OF_FOUR, slot] = log[5], log[6]


@njit(cache=True)
def _hash_of_four(data, place):
    word = np.uint32(data[place]) | np.uint32(data[place + 1]) << np.uint32(8)
    word |= np.uint32(data[place + 2]) << np.uint32(16) | np.uint32(data[place + 3]) << np.uint32(24)
    return np.int64(np.uint32(word * np.uint32(2654435761)) >> np.uint32(17))


@njit(cache=True)
def _longest(data, chains, newest, place, at_least, ahead):
    """The longest repeat of what stands at `place`, longer than `at_least`, the nearest of several.

    zlib follows the chain of three bytes for a limited number of steps. A repeat of four bytes or more is found
    in the much shorter chain of four; the numbers of the places say how many steps zlib would have made.

    Returns its length, its start (-1 = none), and whether bytes to come could change the answer.
    """
    steps = CHAIN >> 2 if at_least >= GOOD else CHAIN
    limit, most = max(place - FARTHEST, 0), min(ahead, LONGEST)
    best, start, open_end = max(at_least, SHORTEST), -1, False
    first_number = chains[NUMBER, newest & MASK] - steps
    candidate = chains[OLDER_OF_FOUR, place & MASK] if ahead > SHORTEST else 0
    while candidate > limit or (candidate == newest and candidate > 0):
        if data[candidate + best] == data[place + best] and data[candidate] == data[place]:
            same = 0
            while same < most and data[candidate + same] == data[place + same]:
                same += 1
            open_end = open_end or same == ahead
            if same > best:
                if chains[NUMBER, candidate & MASK] <= first_number:
                    break
                best, start = same, candidate
                if same >= most:
                    break
        candidate = chains[OLDER_OF_FOUR, candidate & MASK]
    if start < 0 and at_least < SHORTEST:
        return _nearest_of_three(data, chains, newest, place, ahead, steps, limit, open_end)
    return best, start, open_end


@njit(cache=True)
def _nearest_of_three(data, chains, candidate, place, ahead, steps, limit, open_end):
    while True:
        if (
            data[candidate] == data[place]
            and data[candidate + 1] == data[place + 1]
            and data[candidate + 2] == data[place + 2]
        ):
            return SHORTEST, candidate, open_end or ahead == SHORTEST
        candidate = chains[OLDER, candidate & MASK]
        steps -= 1
        if candidate <= limit or steps == 0 or place - candidate > TOO_FAR:
            return SHORTEST - 1, -1, open_end


@njit(cache=True)
def _advance(data, chains, literals, distances, state, final, log):
    """Turn bytes into symbols: to the end and close the block (final), or up to where what follows would matter.

    Returns the number of places that were entered into the chains; `log` holds what stood there before (of the
    last one if not final).
    """
    length, place, repeat, start = state[LENGTH], state[PLACE], state[REPEAT], state[START]
    waiting, entered = state[WAITING], 0
    while True:
        ahead = length - place
        if ahead == 0 or (not final and ahead <= repeat + SHORTEST):
            break
        last_repeat, last_start = repeat, start
        newest = 0
        if ahead >= SHORTEST:
            newest = _enter(data, chains, place, ahead, log[entered if final else 0])
            entered += 1
        repeat = SHORTEST - 1
        if newest > 0 and last_repeat < min(ahead, LONGEST) and place - newest <= FARTHEST:
            found, found_at, open_end = _longest(data, chains, newest, place, last_repeat, ahead)
            if open_end and not final:
                _take_back(chains, place, log[0])
                repeat = last_repeat
                break
            if found_at >= 0 and not (found == SHORTEST and place - found_at > TOO_FAR):
                repeat, start = found, found_at
        if last_repeat >= SHORTEST and repeat <= last_repeat:
            literals[257 + LENGTH_CODES[last_repeat]] += 1
            distances[DISTANCE_CODES[place - 2 - last_start]] += 1
            for skipped in range(place + 1, min(place + last_repeat - 1, length - SHORTEST + 1)):
                _enter(data, chains, skipped, length - skipped, log[entered if final else 0])
                entered += 1
            place += last_repeat - 1
            waiting, repeat = 0, SHORTEST - 1
            _count_symbol(literals, distances, state, place)
        else:
            if waiting:
                literals[data[place - 1]] += 1
                _count_symbol(literals, distances, state, place)
            waiting = 1
            place += 1
    if final:
        literals[data[place - 1]] += waiting
        _close(literals, distances, state, place, True)
    state[PLACE], state[REPEAT], state[START], state[WAITING] = place, repeat, start, waiting
    return entered


@njit(cache=True)
def _count_symbol(literals, distances, state, place):
    state[SYMBOLS] += 1
    if state[SYMBOLS] == BLOCK:
        _close(literals, distances, state, place, False)


@njit(cache=True)
def _close(literals, distances, state, place, last):
    state[BITS] = block_bits(literals, distances, state[BITS], place - state[BEGIN], last)
    literals[:], distances[:] = 0, 0
    literals[256] = 1
    state[SYMBOLS], state[BEGIN] = 0, place
