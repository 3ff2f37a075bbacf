package registry.server.fsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.Coordinate;
import registry.api.KvWrite;
import registry.api.NodeCoordinate;
import registry.api.PreparedQuery;
import registry.api.Session;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.json.Json;
import registry.server.catalog.CatalogEndpoint;
import registry.server.catalog.CatalogOp;
import registry.server.kv.KvOp;
import registry.server.once.OnceOp;
import registry.server.once.RequestId;
import registry.server.query.QueryOp;
import registry.server.raft.LocalConsensus;
import registry.server.session.SessionOp;
import registry.server.snapshot.RestoreOp;
import registry.server.state.Op;
import registry.server.state.StateStore;
import registry.server.state.Watches;
import registry.server.txn.TxnEndpoint;

/** What the proposing server applies undecoded is what all others decode. */
class LogProposerTest {
    private final List<Op> proposed = new ArrayList<>();

    private static Op decoded(Op op) {
        return Command.op(Command.encode(op, 0));
    }

    private static KvOp.Write write(KvWrite.Verb verb, byte[] value, String session) {
        return new KvOp.Write(new KvWrite(verb, "k/é\uD83D\uDE00", value, -1, 7, session));
    }

    /** In each there is something that JSON has several forms of. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'Node':'n','Address':'a'}",
                "{'Node':'n','Address':'','SkipNodeUpdate':true,'Checks':null,'TaggedAddresses':null}",
                "{'Node':'n','Address':'a','TaggedAddresses':{},'NodeMeta':{},'Checks':[null]}",
                "{'Node':'n','Address':'a','TaggedAddresses':{'lan':null},'NodeMeta':{'b':null,'a':'\\ud800'}}",
                "{'Node':'n','Address':'a','Service':{'Service':'s'}}",
                "{'Node':'n','Address':'a','Service':{'Service':'s','Tags':[null,'','<&>'],'Kind':null,'Meta':{},"
                        + "'TaggedAddresses':{},'Weights':null}}",
                "{'Node':'n','Address':'a','Service':{'Service':'s','Meta':null,'Weights':{},"
                        + "'TaggedAddresses':{'lan':{'Address':null,'Port':1},'wan':null}}}",
                "{'Node':'n','Address':'a','Check':null,'Checks':[{'Name':'c','Definition':null}]}",
                "{'Node':'n','Address':'a','Checks':[{'Name':'c','Definition':{}},{'Name':'d','Definition':"
                        + "{'HTTP':'','Header':{},'ScriptArgs':[],'Interval':0,'Timeout':'0s','Body':null}}]}",
                "{'Node':'n','Address':'a','Checks':[{'Name':'c','Output':null,'ServiceTags':['x'],'Definition':"
                        + "{'HTTP':'http://x','Header':{'h':[],'i':null,'j':['']},'Interval':'1m30s','TTL':'1500ms',"
                        + "'IntervalDuration':5,'TLSSkipVerify':true,'OutputMaxSize':3,'ScriptArgs':['a','']}}]}",
            })
    void aRegistrationIsWhatTheOthersDecode(String json) {
        var endpoint =
                new CatalogEndpoint(
                        op -> {
                            proposed.add(op);
                            return true;
                        },
                        "dc1");
        endpoint.register(Json.read(json.replace('\'', '"').getBytes(), CatalogRegistration.class));
        assertThat(decoded(proposed.getFirst())).isEqualTo(proposed.getFirst());
    }

    @Test
    void anEnvelopeIsWhatTheOthersDecode() {
        for (String client : new String[] {"", "é\uD83D\uDE00", "c".repeat(200)}) {
            var id = new RequestId(client, Long.MAX_VALUE, -1);
            Op op = new OnceOp(id, 3, write(KvWrite.Verb.CAS, new byte[] {-1, 0}, "s"));
            byte[] command = Command.encode(op, 7);
            assertThat(Command.says(command, op)).isTrue();
            assertThat(Command.time(command)).isEqualTo(7);
            assertThat(Command.unreadable(command)).isEmpty();
            Op other = new OnceOp(new RequestId(client, 1, -1), 3, ((OnceOp) op).op());
            assertThat(Command.says(command, other)).isFalse();
            for (int length = 0; length < command.length; length++) {
                // Cut anywhere it must not be worse than refused, or a defect of its JSON.
                Command.unreadable(Arrays.copyOf(command, length));
            }
        }
        byte[] unknown =
                Command.encode(
                        new OnceOp(
                                new RequestId("c", 1, 1), 0, write(KvWrite.Verb.SET, null, null)),
                        0);
        unknown[10 + 1 + 1 + 20] = 77;
        assertThat(Command.unreadable(unknown)).contains("unknown type 77");
    }

    @ParameterizedTest
    @EnumSource
    void aWriteIsWhatTheOthersDecode(KvWrite.Verb verb) {
        for (byte[] value : new byte[][] {null, {}, {0, -1, 'x'}}) {
            for (String session : new String[] {null, "", "s"}) {
                Op op = write(verb, value, session);
                assertThat(Command.says(Command.encode(op, 0), op)).isTrue();
            }
        }
    }

    @Test
    void theOthersToo() {
        Op reap = new KvOp.Reap(900_000);
        assertThat(decoded(reap)).isEqualTo(reap);
        Op deregister =
                new CatalogOp.Deregister(new CatalogDeregistration("", "n", "", "serfHealth"));
        assertThat(decoded(deregister)).isEqualTo(deregister);
        Op stage = new RestoreOp.Stage("r", 3, new byte[] {0, -1, 'x'});
        assertThat(decoded(stage)).isEqualTo(stage);
        assertThat(decoded(new RestoreOp.Stage("r", 3, new byte[] {1}))).isNotEqualTo(stage);
        Op commit = new RestoreOp.Commit("r", 4);
        assertThat(decoded(commit)).isEqualTo(commit);
        Op drop = new RestoreOp.Drop("r");
        assertThat(decoded(drop)).isEqualTo(drop);
        assertThat(CommandType.values()).as("each has its test here").hasSize(19);
    }

    @Test
    void placesToo() {
        var origin = new NodeCoordinate("n", "", Coordinate.ORIGIN);
        var somewhere =
                new NodeCoordinate(
                        "\u00e9", "s", new Coordinate(List.of(1e-7, 0.1, -1e22), 1, 1e-300, 3));
        Op op = new CatalogOp.Locate(List.of(origin, somewhere));
        assertThat(decoded(op)).isEqualTo(op);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'Name':'q','Service':{'Service':'s'}}",
                "{'Name':null,'Session':'x','Template':null,'Service':null,'DNS':null}",
                "{'Name':'q','Template':{'Type':'name_prefix_match','RemoveEmptyTags':true},"
                        + "'Service':{'Service':'<s>','Tags':[],'IgnoreCheckIDs':['c',null],'NodeMeta':{},"
                        + "'ServiceMeta':{'b':null,'a':'x'},'Failover':{'NearestN':2,'Datacenters':['dc1']},"
                        + "'OnlyPassing':true,'Connect':true,'Near':'_ip'},'DNS':{'TTL':'10s'}}",
            })
    void aQueryIsWhatTheOthersDecode(String json) {
        PreparedQuery query = Json.read(json.replace('\'', '"').getBytes(), PreparedQuery.class);
        for (Op op :
                List.of(
                        new QueryOp.Create(query.withId("i")),
                        new QueryOp.Update(query.withId("i")),
                        new QueryOp.Delete("i"))) {
            assertThat(decoded(op)).isEqualTo(op);
        }
    }

    @Test
    void aTransactionToo() {
        var endpoint =
                new TxnEndpoint(
                        op -> {
                            proposed.add(op);
                            return TxnResult.done(List.of());
                        },
                        "dc1");
        String json =
                """
                {'Ops':[{},{'KV':{'Verb':'cas','Key':'k','Value':'AQ==','Flags':18446744073709551615,'Index':1,'Session':'s'}},
                {'KV':{'Verb':'get','Key':'k'}},{'Node':{'Verb':'cas','Node':{'Node':'n','ModifyIndex':7}}},
                {'Service':{'Verb':'set','Node':'n','Service':{'Service':'s','Tags':['t'],'Meta':{'a':'b'},'Port':80}}},
                {'Service':{'Verb':'delete','Node':'n','Service':{'ID':'s'}}},
                {'Check':{'Verb':'set','Check':{'Node':'n','Name':'c','Definition':{'HTTP':'','Header':{'h':['x']},'Interval':'10s'}}}},
                {'Check':{'Verb':'delete-cas','Check':{'Node':'n','CheckID':'c','ModifyIndex':9}}}]}\
                """;
        endpoint.apply(Json.read(json.replace('\'', '"').getBytes(), Txn.class));
        assertThat(decoded(proposed.getFirst())).isEqualTo(proposed.getFirst());
    }

    @Test
    void whatIsDoneWithSessionsToo() {
        var bare = new Session("i", "", "n", 0, "release", "", List.of(), null, 0, 0);
        var full =
                new Session(
                        "i",
                        "name",
                        "n",
                        15_000_000_000L,
                        "delete",
                        "10s",
                        List.of("serfHealth", ""),
                        List.of(new Session.ServiceCheck("c", "")),
                        1,
                        2);
        for (Op op :
                List.of(
                        new SessionOp.Create(bare, 0),
                        new SessionOp.Create(full, 20_000),
                        new SessionOp.Destroy("i"),
                        new SessionOp.Renew("i"),
                        new SessionOp.Expire(List.of("i", "j")),
                        new SessionOp.Restart(7))) {
            assertThat(decoded(op)).isEqualTo(op);
        }
    }

    @Test
    void anOpThatTheOthersWouldNotSeeIsFound() {
        byte[] command = Command.encode(write(KvWrite.Verb.SET, new byte[] {1}, null), 0);
        assertThat(Command.says(command, write(KvWrite.Verb.SET, new byte[] {2}, null))).isFalse();
        var fsm = new Fsm(store(), () -> 0, () -> {}, () -> {}, line -> {});
        fsm.proposed(command, write(KvWrite.Verb.CAS, new byte[] {1}, null));
        assertThatThrownBy(() -> fsm.apply(1, command)).isInstanceOf(AssertionError.class);
    }

    @Test
    void nothingStaysBehind() {
        var fsm = new Fsm(store(), () -> 0, () -> {}, () -> {}, line -> {});
        var consensus = new LocalConsensus(fsm);
        var proposer = new LogProposer(consensus, fsm);
        assertThat(proposer.propose(write(KvWrite.Verb.SET, new byte[] {1}, null))).isEqualTo(true);
        assertThat(fsm.underWay()).isZero();
        consensus.depose();
        assertThatThrownBy(() -> proposer.propose(new KvOp.Reap(1))).isNotNull();
        assertThat(fsm.underWay()).isZero();
    }

    private static StateStore store() {
        return new StateStore(new Watches(waiters -> {}));
    }
}
