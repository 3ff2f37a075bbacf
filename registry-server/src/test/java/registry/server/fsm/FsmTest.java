package registry.server.fsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.CatalogRegistration;
import registry.api.KvWrite;
import registry.server.catalog.CatalogOp;
import registry.server.kv.KvOp;
import registry.server.state.Op;
import registry.server.state.StateStore;
import registry.server.state.Watches;

class FsmTest {
    private final AtomicLong nanos = new AtomicLong();
    private final List<String> halted = new ArrayList<>();
    private final StateStore store = new StateStore(new Watches(waiters -> {}));
    private final Fsm fsm = new Fsm(store, nanos::get, () -> {}, () -> {}, halted::add);

    private static Op set(String key) {
        return new KvOp.Write(new KvWrite(KvWrite.Verb.SET, key, new byte[] {1}, 0, 0, null));
    }

    @Test
    void aCommandOfAnotherVersionStopsTheServer() {
        byte[] command = Command.encode(set("a"), 0);
        command[0] = 2;
        assertThatThrownBy(() -> fsm.apply(7, command)).isInstanceOf(IllegalStateException.class);
        assertThat(halted)
                .containsExactly(
                        "command 7 cannot be read: it has version 2, this program reads 1");
    }

    @Test
    void anUnknownTypeStopsTheServer() {
        byte[] command = Command.encode(set("a"), 0);
        command[1] = 99;
        assertThatThrownBy(() -> fsm.apply(7, command)).isInstanceOf(IllegalStateException.class);
        assertThat(halted).containsExactly("command 7 cannot be read: it has the unknown type 99");
    }

    @Test
    void aRefusalIsAResultAndTheIndexGoesOn() {
        var bare =
                new CatalogRegistration(
                        "",
                        "",
                        "n",
                        "a",
                        null,
                        new TreeMap<>(),
                        null,
                        List.of(
                                new registry.api.HealthCheck(
                                        "",
                                        "c",
                                        "c",
                                        "",
                                        "",
                                        "",
                                        "nope",
                                        "",
                                        List.of(),
                                        "",
                                        registry.api.HealthCheckDefinition.NONE,
                                        0,
                                        0)),
                        false);
        Object result = fsm.apply(3, Command.encode(new CatalogOp.Register(bare), 5));
        assertThat(result).isInstanceOf(ApiException.class);
        assertThat(store.current().index()).isEqualTo(3);
        assertThat(store.current().time()).isEqualTo(5);
        assertThat(store.current().indexes()).isEmpty();
    }

    @Test
    void contentThatIsNotTheOpsIsARefusal() {
        byte[] command = Command.encode(set("a"), 0);
        command[command.length - 1] = 'x';
        assertThat(fsm.apply(1, command))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> assertThat(e.kind()).isEqualTo(ApiException.Kind.INTERNAL));
        assertThat(halted).isEmpty();
    }

    @Test
    void timeOnlyGrows() {
        fsm.apply(1, Command.encode(set("a"), 1000));
        fsm.apply(2, Command.encode(set("b"), 10));
        assertThat(store.current().time()).isEqualTo(1000);
        fsm.apply(3, Command.encode(set("c"), 1001));
        assertThat(store.current().time()).isEqualTo(1001);
    }

    @Test
    void aLeadersTimeGoesOnFromTheStateItTookOver() {
        fsm.apply(1, Command.encode(set("a"), 1000));
        nanos.set(5_000_000_000L);
        fsm.leading(2);
        assertThat(fsm.leadingTerm()).isEqualTo(2);
        assertThat(fsm.time()).isEqualTo(1000);
        nanos.addAndGet(250_000_000L);
        assertThat(fsm.time()).isEqualTo(1250);
        fsm.following();
        assertThat(fsm.leadingTerm()).isZero();
        assertThat(fsm.time()).isEqualTo(1000);
    }

    @Test
    void aSnapshotIsOfTheMomentItWasTaken() throws Exception {
        fsm.apply(1, Command.encode(set("a"), 1));
        var snapshot = fsm.snapshot();
        fsm.apply(2, Command.encode(set("b"), 2));
        var out = new java.io.ByteArrayOutputStream();
        snapshot.writeTo(out);
        fsm.load(new ByteArrayInputStream(out.toByteArray()));
        assertThat(store.current().index()).isEqualTo(1);
        assertThat(fsm.apply(2, Command.encode(set("b"), 2))).isEqualTo(true);
    }

    @Test
    void whatIsNoSnapshotIsRefusedAndTheStateStays() throws Exception {
        fsm.apply(1, Command.encode(set("a"), 1));
        var out = new java.io.ByteArrayOutputStream();
        fsm.snapshot().writeTo(out);
        byte[] good = out.toByteArray();
        byte[] newer = good.clone();
        newer[7] = 9;
        assertThatThrownBy(() -> fsm.load(new ByteArrayInputStream(newer)))
                .isInstanceOf(IOException.class)
                .hasMessage("the snapshot has version 9, this program reads 1");
        byte[] cut = java.util.Arrays.copyOf(good, good.length - 3);
        assertThatThrownBy(() -> fsm.load(new ByteArrayInputStream(cut)))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> fsm.load(new ByteArrayInputStream(new byte[] {1, 2, 3, 4})))
                .isInstanceOf(IOException.class);
        assertThat(store.current().index()).isEqualTo(1);
    }
}
