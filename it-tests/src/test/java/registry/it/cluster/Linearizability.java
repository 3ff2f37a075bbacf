package registry.it.cluster;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Whether calls on one register can be put into an order that explains all answers and in which no
 * call stands before one that had returned when it began. The search of Wing and Gong, with Lowe's
 * memory of what has been tried: sets of done calls and the value they left.
 */
final class Linearizability {
    private static final long MOST_STEPS = 300_000;

    private final List<Operation> operations;
    private final Set<Configuration> tried = new HashSet<>();
    private final BitSet done = new BitSet();
    private long steps;

    private record Configuration(BitSet done, String value) {}

    private record Choice(int operation, String before) {}

    private Linearizability(List<Operation> history) {
        operations = history.stream().sorted(Comparator.comparingLong(Operation::called)).toList();
    }

    /**
     * Whether {@code history} has such an order, for a register that was absent at first.
     *
     * @throws IllegalStateException when the search takes too long to tell
     */
    static boolean holds(List<Operation> history) {
        return new Linearizability(history).search();
    }

    /** A loop and no recursion: a history may be longer than a thread's stack. */
    private boolean search() {
        var path = new ArrayList<Choice>();
        String value = Operation.ABSENT;
        int from = 0;
        while (!isExplained()) {
            if (++steps > MOST_STEPS) {
                throw new IllegalStateException("undecided after " + steps + " steps");
            }
            Optional<Choice> next = nextAfter(from, value);
            if (next.isPresent()) {
                Choice choice = next.get();
                path.add(choice);
                done.set(choice.operation());
                value = after(operations.get(choice.operation()), value).orElseThrow();
                from = 0;
            } else if (path.isEmpty()) {
                return false;
            } else {
                Choice back = path.removeLast();
                done.clear(back.operation());
                value = back.before();
                from = back.operation() + 1;
            }
        }
        return true;
    }

    /** Calls without an answer need never have happened. */
    private boolean isExplained() {
        for (int i = done.nextClearBit(0); i < operations.size(); i = done.nextClearBit(i + 1)) {
            if (operations.get(i).returned() != Long.MAX_VALUE) {
                return false;
            }
        }
        return true;
    }

    /**
     * The next call from {@code from} on that may come now and leads to something not tried yet.
     */
    private Optional<Choice> nextAfter(int from, String value) {
        long firstReturn = firstReturn();
        for (int i = done.nextClearBit(from);
                i < operations.size() && operations.get(i).called() <= firstReturn;
                i = done.nextClearBit(i + 1)) {
            Operation operation = operations.get(i);
            if (operation.returned() == Long.MAX_VALUE && !isWanted(i, value)) {
                continue;
            }
            Optional<String> then = after(operation, value);
            if (then.isPresent()) {
                var all = (BitSet) done.clone();
                all.set(i);
                if (tried.add(new Configuration(all, then.get()))) {
                    return Optional.of(new Choice(i, value));
                }
            }
        }
        return Optional.empty();
    }

    /**
     * Whether a call without an answer could explain anything that is still to be explained: its
     * value is found by a call to come, or it makes a swap fail that would find what it expects.
     * The others would only double the search, each of them.
     */
    private boolean isWanted(int unanswered, String value) {
        String written =
                switch (operations.get(unanswered).action()) {
                    case Operation.Action.Read read -> Operation.ABSENT;
                    case Operation.Action.Write write -> write.value();
                    case Operation.Action.Swap swap -> swap.value();
                };
        return IntStream.range(0, operations.size())
                .filter(i -> i != unanswered && !done.get(i))
                .mapToObj(i -> operations.get(i).action())
                .anyMatch(other ->
                        switch (other) {
                            case Operation.Action.Read read -> read.value().equals(written);
                            case Operation.Action.Write write -> false;
                            case Operation.Action.Swap swap ->
                                    swap.expected().equals(written)
                                            || (swap.outcome() == Operation.Outcome.REFUSED
                                                    && swap.expected().equals(value));
                        });
    }

    private long firstReturn() {
        long first = Long.MAX_VALUE;
        for (int i = done.nextClearBit(0);
                i < operations.size() && operations.get(i).called() <= first;
                i = done.nextClearBit(i + 1)) {
            first = Math.min(first, operations.get(i).returned());
        }
        return first;
    }

    /** The value after this call found {@code value}, or nothing when its answer contradicts. */
    private static Optional<String> after(Operation operation, String value) {
        return switch (operation.action()) {
            case Operation.Action.Read read ->
                    read.value().equals(value) ? Optional.of(value) : Optional.empty();
            case Operation.Action.Write write -> Optional.of(write.value());
            case Operation.Action.Swap swap -> {
                boolean found = swap.expected().equals(value);
                yield switch (swap.outcome()) {
                    case DONE -> found ? Optional.of(swap.value()) : Optional.empty();
                    case REFUSED -> found ? Optional.empty() : Optional.of(value);
                    case UNKNOWN -> Optional.of(found ? swap.value() : value);
                };
            }
        };
    }
}
