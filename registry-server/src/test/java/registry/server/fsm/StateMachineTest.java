package registry.server.fsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import registry.api.HealthCheck;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Scopes;
import registry.server.kv.KvTable;
import registry.server.once.OnceTable;
import registry.server.query.Prepared;
import registry.server.query.QueryTable;
import registry.server.session.SessionTable;
import registry.server.state.StateCodec;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * Random commands of all types against {@link NaiveModel}: after each one all rows and all indexes
 * are the model's, no index has fallen, and whoever waits for an answer that has changed was woken.
 * With bugs planted it fails.
 */
class StateMachineTest {
    private static final int COMMANDS = 100_000;

    @Test
    void allCommandsGiveTheModelsRowsAndIndexes() throws Exception {
        run(COMMANDS);
    }

    @Tag("soak")
    @Test
    void aMillionCommandsToo() throws Exception {
        run(1_200_000);
    }

    private static void run(int commands) throws Exception {
        long seed = Long.getLong("registry.property.seed", System.nanoTime());
        var random = new SplittableRandom(seed);
        long begin = System.nanoTime();
        // A history of its own, whose archives the other then restores: all its indexes are higher.
        var foreign = new RandomMachine(random, Cascade::follow);
        var machine = new RandomMachine(random, Cascade::follow);
        try {
            foreign.run(commands / 4, Fsm.TABLES);
            machine.restoreFrom(foreign);
            machine.run(commands - commands / 4, Fsm.TABLES);
        } catch (Throwable e) {
            throw new AssertionError(
                    "-Dregistry.property.seed=%d: %s; before it %s"
                            .formatted(seed, machine, foreign),
                    e);
        }
        assertThat(machine.kinds())
                .as("types of commands that were done")
                .hasSize(CommandType.values().length);
        System.out.printf(
                "state machine: %d commands in %d ms (%d ms of CPU), seed %d%n",
                commands,
                (System.nanoTime() - begin) / 1_000_000,
                ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1_000_000,
                seed);
    }

    /** Mistakes that somebody could make. */
    enum Planted {
        /** Nothing follows from anything. */
        NO_CASCADE,
        /** A check that fails ends no session; only one that goes does. */
        DEAF_TO_FAILED_CHECKS,
        /** The key of a session that ended may be taken at once. */
        NO_LOCK_DELAY,
        /** A session that ended keeps its index. */
        SESSIONS_INDEX_STAYS,
        /** A service's index falls when one of its checks changes. */
        INDEX_FALLS,
        /** A key is lost now and then. */
        KEY_LOST,
        /** What a transaction did before it failed stays. */
        NOT_UNDONE,
        /** Who waits is forgotten now and then. */
        WAKE_UP_LOST,
        /** A snapshot lacks the sessions. */
        TABLE_FORGOTTEN,
        /** A snapshot lacks what clients were answered: what they send again is done again. */
        ANSWERS_FORGOTTEN,
        /** A prepared query outlives its session. */
        QUERY_STAYS
    }

    @ParameterizedTest
    @EnumSource
    void plantedMistakesAreFound(Planted mistake) {
        var random = new SplittableRandom(mistake.ordinal());
        var machine = new RandomMachine(random, aftermath(mistake));
        machine.forgetWakeUps(mistake == Planted.WAKE_UP_LOST);
        TableDef<?> forgotten =
                switch (mistake) {
                    case TABLE_FORGOTTEN -> SessionTable.SESSIONS;
                    case ANSWERS_FORGOTTEN -> OnceTable.CLIENTS;
                    default -> null;
                };
        List<TableDef<?>> tables = Fsm.TABLES.stream().filter(table -> table != forgotten).toList();
        assertThatThrownBy(() -> machine.run(20_000, tables))
                .as(mistake.name())
                .isInstanceOf(AssertionError.class);
    }

    private static Consumer<Tx> aftermath(Planted mistake) {
        return switch (mistake) {
            case WAKE_UP_LOST, TABLE_FORGOTTEN, ANSWERS_FORGOTTEN -> Cascade::follow;
            case QUERY_STAYS ->
                    tx -> {
                        int before = tx.deletions().size();
                        Cascade.follow(tx);
                        List.copyOf(tx.deletions().subList(before, tx.deletions().size()))
                                .forEach(deletion -> {
                                    if (deletion.row() instanceof Prepared query) {
                                        tx.put(QueryTable.QUERIES, query);
                                    }
                                });
                    };
            case NO_CASCADE -> tx -> {};
            case DEAF_TO_FAILED_CHECKS ->
                    tx -> {
                        boolean failed =
                                tx.placed().stream()
                                        .anyMatch(placed -> placed.table() == CatalogTable.CHECKS);
                        if (!failed) {
                            Cascade.follow(tx);
                        }
                    };
            case NO_LOCK_DELAY ->
                    tx -> {
                        Cascade.follow(tx);
                        List.copyOf(tx.table(KvTable.DELAYS).rows().keySet())
                                .forEach(key -> tx.delete(KvTable.DELAYS, key));
                    };
            case SESSIONS_INDEX_STAYS ->
                    tx -> {
                        long before = tx.index("sessions");
                        Cascade.follow(tx);
                        tx.renumber("sessions", before == tx.index() ? before - 1 : before);
                    };
            case INDEX_FALLS ->
                    tx -> {
                        Cascade.follow(tx);
                        String web = Scopes.service("web");
                        boolean failed =
                                tx.placed().stream()
                                        .anyMatch(placed ->
                                                placed.row()
                                                                instanceof
                                                                registry.server.state.Row<?> row
                                                        && row.value() instanceof HealthCheck);
                        if (failed && tx.index(web) == tx.index()) {
                            tx.renumber(web, 1);
                        }
                    };
            case KEY_LOST ->
                    tx -> {
                        Cascade.follow(tx);
                        if (tx.index() % 97 == 0 && !tx.table(KvTable.PAIRS).rows().isEmpty()) {
                            tx.delete(KvTable.PAIRS, tx.table(KvTable.PAIRS).rows().firstKey());
                        }
                    };
            case NOT_UNDONE -> new NotUndone();
        };
    }

    /** Puts back what was taken back. */
    private static final class NotUndone implements Consumer<Tx> {
        private final List<Tx.Placed<?>> seen = new java.util.ArrayList<>();

        @Override
        public void accept(Tx tx) {
            Cascade.follow(tx);
            if (tx.placed().isEmpty()) {
                seen.forEach(placed -> again(tx, placed));
                seen.clear();
            } else {
                seen.clear();
                seen.addAll(tx.placed());
            }
        }

        private static <R> void again(Tx tx, Tx.Placed<R> placed) {
            if (placed.table() != (Object) SessionTable.SESSIONS) {
                tx.put(placed.table(), placed.row());
            }
        }
    }

    /** Snapshots are equal to what was saved, byte by byte. */
    @Test
    void aSnapshotOfASnapshotIsTheSame() throws Exception {
        var machine = new RandomMachine(new SplittableRandom(7), Cascade::follow);
        machine.run(2_000, Fsm.TABLES);
        byte[] bytes = machine.snapshot(Fsm.TABLES);
        var codec = new StateCodec(Fsm.TABLES);
        var out = new java.io.ByteArrayOutputStream();
        codec.write(codec.read(new ByteArrayInputStream(bytes)), out);
        assertThat(out.toByteArray()).isEqualTo(bytes);
    }
}
