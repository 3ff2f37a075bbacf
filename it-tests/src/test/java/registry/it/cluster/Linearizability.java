package registry.it.cluster;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether calls on one register can be put into an order that explains all answers and in which no
 * call stands before one that had returned when it began. The search of Wing and Gong, with Lowe's
 * memory of what has been tried: sets of done calls and the value they left. Since a value is
 * written once, a register that has left it never has it again: who found it must come before. That
 * leaves little to choose.
 */
final class Linearizability {
    private static final long MOST_STEPS = 2_000_000;

    private final List<Operation> operations;

    /** For each value the answered calls that must come while the register has it. */
    private final Map<String, BitSet> finders = new HashMap<>();

    /** For each value the swaps that must come while the register does not have it. */
    private final Map<String, BitSet> refused = new HashMap<>();

    /** Values without which a swap that has no answer could not have led to one that was found. */
    private final Set<String> leadingOn = new HashSet<>();

    private final Set<Configuration> tried = new HashSet<>();
    private final BitSet done = new BitSet();
    private long steps;

    private record Configuration(BitSet done, String value) {}

    /**
     * @param only whether nothing else need be tried in its place
     */
    private record Choice(int operation, String before, boolean only) {}

    private Linearizability(List<Operation> history) {
        operations = history.stream().sorted(Comparator.comparingLong(Operation::called)).toList();
        for (int i = 0; i < operations.size(); i++) {
            switch (operations.get(i).action()) {
                case Operation.Action.Read read -> note(finders, read.value(), i);
                case Operation.Action.Write write -> {}
                case Operation.Action.Swap swap -> {
                    switch (swap.outcome()) {
                        case DONE -> note(finders, swap.expected(), i);
                        case REFUSED -> note(refused, swap.expected(), i);
                        case UNKNOWN -> {}
                    }
                }
            }
        }
        while (operations.stream().anyMatch(this::leadsOn)) {
            // Until no swap adds what it expects.
        }
    }

    private boolean leadsOn(Operation operation) {
        return operation.action()
                        instanceof
                        Operation.Action.Swap(
                                String expected,
                                String value,
                                Operation.Outcome outcome)
                && outcome == Operation.Outcome.UNKNOWN
                && (finders.containsKey(value) || leadingOn.contains(value))
                && leadingOn.add(expected);
    }

    private static void note(Map<String, BitSet> calls, String value, int call) {
        calls.computeIfAbsent(value, first -> new BitSet()).set(call);
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
                continue;
            }
            boolean more = false;
            while (!more && !path.isEmpty()) {
                Choice back = path.removeLast();
                done.clear(back.operation());
                value = back.before();
                from = back.operation() + 1;
                more = !back.only();
            }
            if (!more) {
                return false;
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
        int end = callable();
        if (from == 0) {
            for (int i = done.nextClearBit(0); i < end; i = done.nextClearBit(i + 1)) {
                if (after(operations.get(i), value).equals(Optional.of(value))
                        && operations.get(i).returned() != Long.MAX_VALUE) {
                    return choose(i, value, true);
                }
            }
        }
        Optional<Integer> finder = firstUndone(finders, value);
        if (finder.isPresent()) {
            // It has to come before the value is left: a read would have come above, so this is a
            // swap, or it can't come yet.
            return finder.get() >= from
                            && finder.get() < end
                            && after(operations.get(finder.get()), value).isPresent()
                    ? choose(finder.get(), value, true)
                    : Optional.empty();
        }
        for (int i = done.nextClearBit(from); i < end; i = done.nextClearBit(i + 1)) {
            Operation operation = operations.get(i);
            if (operation.returned() == Long.MAX_VALUE && !isWanted(operation, value)) {
                continue;
            }
            Optional<String> then = after(operation, value);
            if (then.isPresent() && !then.get().equals(value)) {
                Optional<Choice> choice = choose(i, value, false);
                if (choice.isPresent()) {
                    return choice;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Choice> choose(int operation, String value, boolean only) {
        var all = (BitSet) done.clone();
        all.set(operation);
        String then = after(operations.get(operation), value).orElseThrow();
        return tried.add(new Configuration(all, then))
                ? Optional.of(new Choice(operation, value, only))
                : Optional.empty();
    }

    private Optional<Integer> firstUndone(Map<String, BitSet> calls, String value) {
        var undone = (BitSet) calls.getOrDefault(value, new BitSet()).clone();
        undone.andNot(done);
        return undone.isEmpty() ? Optional.empty() : Optional.of(undone.nextSetBit(0));
    }

    /**
     * Whether a call without an answer could explain anything that is still to be explained: its
     * value is found by a call to come, or it makes a swap fail that would find what it expects.
     * The others would only double the search, each of them.
     */
    private boolean isWanted(Operation unanswered, String value) {
        String written =
                switch (unanswered.action()) {
                    case Operation.Action.Read read -> value;
                    case Operation.Action.Write write -> write.value();
                    case Operation.Action.Swap swap -> swap.value();
                };
        return firstUndone(finders, written).isPresent()
                || firstUndone(refused, value).isPresent()
                || leadingOn.contains(written);
    }

    /** Behind the last call that began before any of those to come has returned. */
    private int callable() {
        long first = Long.MAX_VALUE;
        int i = done.nextClearBit(0);
        while (i < operations.size() && operations.get(i).called() <= first) {
            first = Math.min(first, operations.get(i).returned());
            i = done.nextClearBit(i + 1);
        }
        return Math.min(i, operations.size());
    }

    /** The value after this call found {@code value}, or nothing when its answer contradicts. */
    static Optional<String> after(Operation operation, String value) {
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
