package registry.server.once;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.server.state.Op;
import registry.server.state.State;
import registry.server.state.StateCodec;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/** Commands that come again, late and in any order. */
class OnceTest {
    private static final TableDef<String> APPLIED =
            new TableDef<>(
                    "applied",
                    String::compareTo,
                    row -> row,
                    List.of(),
                    row -> row.getBytes(UTF_8),
                    bytes -> new String(bytes, UTF_8));
    private static final List<TableDef<?>> TABLES = List.of(APPLIED, OnceTable.CLIENTS);

    private State state = State.empty();
    private long time = 1;

    /** Its result says how many there were before. */
    private record Add(String row) implements Op {
        @Override
        public String apply(Tx tx) {
            if (row.isEmpty()) {
                throw ApiException.refused("nothing to add");
            }
            String count = Integer.toString(tx.table(APPLIED).rows().size());
            tx.put(APPLIED, row + "-" + count);
            return count;
        }
    }

    private record Odd() implements Op {
        @Override
        public Object apply(Tx tx) {
            return List.of("of no kind that is kept");
        }
    }

    private Object apply(RequestId id, int part, Op op) {
        Tx tx = new Tx(state, state.index() + 1, time, TABLES);
        Object result = new OnceOp(id, part, op).apply(tx);
        state = after(tx);
        return result;
    }

    private static State after(Tx tx) {
        var store =
                new registry.server.state.StateStore(new registry.server.state.Watches(w -> {}));
        store.commit(tx);
        return store.current();
    }

    private static RequestId id(long number, long oldest) {
        return new RequestId("c1", number, oldest);
    }

    private int applied() {
        return state.table(APPLIED).rows().size();
    }

    private Client client(String name) {
        return state.table(OnceTable.CLIENTS).get(name);
    }

    @Test
    void aCommandThatComesAgainIsAnsweredAsBefore() {
        assertThat(apply(id(1, 1), 0, new Add("a"))).isEqualTo("0");
        assertThat(apply(id(2, 1), 0, new Add("b"))).isEqualTo("1");
        assertThat(apply(id(1, 1), 0, new Add("a"))).isEqualTo("0");
        assertThat(apply(id(1, 1), 1, new Add("c"))).as("another part").isEqualTo("2");
        assertThat(apply(new RequestId("c2", 1, 1), 0, new Add("d"))).isEqualTo("3");
        assertThat(applied()).isEqualTo(4);
    }

    /** A new leader has it from the log, a newcomer from a snapshot. */
    @Test
    void snapshotsKeepTheAnswers() throws Exception {
        apply(id(1, 1), 0, new Add("a"));
        var out = new ByteArrayOutputStream();
        new StateCodec(TABLES).write(state, out);
        state = new StateCodec(TABLES).read(new ByteArrayInputStream(out.toByteArray()));
        assertThat(apply(id(1, 1), 0, new Add("a"))).isEqualTo("0");
        assertThat(applied()).isEqualTo(1);
    }

    @Test
    void whatNobodyWaitsForIsForgottenAndComesTooLate() {
        for (int number = 1; number <= 10; number++) {
            apply(id(number, Math.max(1, number - 2)), 0, new Add("a" + number));
        }
        assertThat(client("c1").done()).hasSize(3);
        assertThatThrownBy(() -> apply(id(7, 7), 0, new Add("a7")))
                .hasMessageContaining("too late");
        assertThat(applied()).isEqualTo(10);
    }

    @Test
    void aRefusalIsNoAnswer() {
        assertThatThrownBy(() -> apply(id(1, 1), 0, new Add(""))).hasMessage("nothing to add");
        assertThat(apply(id(1, 1), 0, new Add("a"))).isEqualTo("0");
    }

    @Test
    void aResultThatIsNotKeptIsNotMadeUp() {
        apply(id(1, 1), 0, new Odd());
        assertThatThrownBy(() -> apply(id(1, 1), 0, new Odd())).hasMessageContaining("is lost");
        assertThat(OnceTable.isApplied(state, id(1, 1))).isTrue();
        assertThat(OnceTable.isApplied(state, id(2, 1))).isFalse();
        assertThat(OnceTable.isApplied(state, new RequestId("c2", 1, 1))).isFalse();
        assertThat(OnceTable.isApplied(state, null)).isFalse();
    }

    @Test
    void silentClientsAreForgottenAfterADay() {
        apply(new RequestId("old", 1, 1), 0, new Add("a"));
        time += 25 * 60 * 60 * 1000L;
        apply(new RequestId("new", 1, 1), 0, new Add("b"));
        assertThat(state.table(OnceTable.CLIENTS).rows()).containsOnlyKeys("new");
    }

    @Test
    void theyAreBoundedByNumber() {
        for (int i = 0; i < 5000; i++) {
            time++;
            apply(new RequestId("c" + i, 1, 1), 0, new Odd());
        }
        assertThat(state.table(OnceTable.CLIENTS).rows()).hasSize(4096).doesNotContainKey("c0");
    }

    @Test
    void onlyTheWorkOfAWriteIsMarked() {
        Op op = new Add("a");
        assertThat(Once.mark(op)).isSameAs(op);
        var marked = new ArrayList<Op>();
        Once.as(
                id(3, 1),
                () -> {
                    marked.add(Once.mark(op));
                    marked.add(Once.mark(op));
                    return Once.id();
                });
        assertThat(marked)
                .containsExactly(new OnceOp(id(3, 1), 0, op), new OnceOp(id(3, 1), 1, op));
    }
}
