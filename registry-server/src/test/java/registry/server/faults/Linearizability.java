package registry.server.faults;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether the calls on one register can be put into an order that explains all answers, and in
 * which no call stands before one that had returned when it began. The search of Wing and Gong with
 * Lowe's memory of what was tried; what was tried is kept as "all before this one, and these", so
 * that long histories need little.
 */
final class Linearizability {
    private static final int MOST_STEPS = 2_000_000;

    private record Tried(int before, BitSet beyond, String value) {}

    private record Choice(int call, String before) {}

    private final List<Operation> calls;
    private final BitSet done = new BitSet();
    private final Set<Tried> tried = new HashSet<>();
    private final Deque<Choice> path = new ArrayDeque<>();
    private int deepest;

    private Linearizability(List<Operation> history) {
        calls = new ArrayList<>(history);
        calls.sort(Comparator.comparingLong(Operation::called));
    }

    /** What can't be explained; empty text when all can. */
    static String check(List<Operation> history) {
        return new Linearizability(history).search();
    }

    private String search() {
        String value = Operation.ABSENT;
        int from = 0;
        for (int steps = 0; done.nextClearBit(0) < calls.size(); steps++) {
            if (steps == MOST_STEPS) {
                return "undecided after " + steps + " steps";
            }
            int next = next(from, value);
            if (next >= 0) {
                path.addLast(new Choice(next, value));
                done.set(next);
                deepest = Math.max(deepest, done.nextClearBit(0));
                value = calls.get(next).after(value);
                from = done.nextClearBit(0);
            } else if (path.isEmpty()) {
                return "no order explains "
                        + calls.subList(
                                Math.max(0, deepest - 4), Math.min(calls.size(), deepest + 4));
            } else {
                Choice back = path.removeLast();
                done.clear(back.call());
                value = back.before();
                from = back.call() + 1;
            }
        }
        return "";
    }

    /** A call that may come now and leads to something new; -1 when there is none. */
    private int next(int from, String value) {
        long firstReturn = firstReturn();
        for (int i = done.nextClearBit(from);
                i < calls.size() && calls.get(i).called() <= firstReturn;
                i = done.nextClearBit(i + 1)) {
            Operation call = calls.get(i);
            if (call.fits(value) && isNew(i, call.after(value))) {
                return i;
            }
        }
        return -1;
    }

    private long firstReturn() {
        long first = Long.MAX_VALUE;
        for (int i = done.nextClearBit(0);
                i < calls.size() && calls.get(i).called() <= first;
                i = done.nextClearBit(i + 1)) {
            first = Math.min(first, calls.get(i).returned());
        }
        return first;
    }

    private boolean isNew(int call, String value) {
        done.set(call);
        int before = done.nextClearBit(0);
        BitSet beyond = done.get(before, Math.max(before, done.length()));
        done.clear(call);
        return tried.add(new Tried(before, beyond, value));
    }
}
