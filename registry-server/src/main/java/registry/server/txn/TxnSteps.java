package registry.server.txn;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.KvPair;
import registry.api.KvWrite;
import registry.api.KvWrite.Verb;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.TxnResult.Failure;
import registry.api.TxnResult.Row;
import registry.server.catalog.CatalogSteps;
import registry.server.kv.KvTable;
import registry.server.state.Tx;

/**
 * Does the steps of a transaction one after the other, each upon what those before it have made.
 * All are tried, so that all that is in the way is told at once; if anything is, all is undone.
 */
final class TxnSteps {
    private static final int UUID_LENGTH = 36;

    private TxnSteps() {}

    /** Whether the verb of a step of the catalogue puts what it names. */
    static boolean puts(String verb) {
        return verb.equals("set") || verb.equals("cas");
    }

    static TxnResult run(Tx tx, Txn txn) {
        var results = new ArrayList<Row>();
        var failures = new ArrayList<Failure>();
        for (int i = 0; i < txn.ops().size(); i++) {
            try {
                step(tx, txn.ops().get(i), results);
                tx.settle();
            } catch (ApiException e) {
                failures.add(new Failure(i, e.text()));
            }
        }
        if (failures.isEmpty()) {
            return TxnResult.done(results);
        }
        tx.undo();
        return TxnResult.failed(failures);
    }

    private static void step(Tx tx, Txn.Op op, List<Row> results) {
        if (op.kv() != null) {
            kv(tx, op.kv(), results);
        } else if (op.node() != null) {
            node(tx, op.node(), results);
        } else if (op.service() != null) {
            service(tx, op.service(), results);
        } else if (op.check() != null) {
            check(tx, op.check(), results);
        }
    }

    // Keys.

    private static void kv(Tx tx, Txn.Kv op, List<Row> results) {
        String key = op.key();
        switch (op.verb()) {
            case "set" -> written(tx, op, Verb.SET, "", results);
            case "cas" -> written(tx, op, Verb.CAS, staleWrite(key), results);
            case "lock" -> lock(tx, op, results);
            case "unlock" -> {
                if (op.session().isEmpty()) {
                    throw ApiException.refused("missing session");
                }
                written(
                        tx,
                        op,
                        Verb.UNLOCK,
                        "failed to unlock key %s, lock isn't held, or is held by another session"
                                .formatted(quoted(key)),
                        results);
            }
            case "delete" -> apply(tx, op, Verb.DELETE);
            case "delete-tree" -> apply(tx, op, Verb.DELETE_TREE);
            case "delete-cas" -> {
                if (!apply(tx, op, Verb.DELETE_CAS)) {
                    throw ApiException.refused(
                            "failed to delete key %s, index is stale".formatted(quoted(key)));
                }
            }
            case "get" -> results.add(Row.of(required(tx, key, "key %s doesn't exist")));
            case "get-or-empty" -> {
                KvPair pair = KvTable.get(tx, key);
                results.add(Row.of(pair == null ? new KvPair(0, key, 0, null, null, 0, 0) : pair));
            }
            case "get-tree" -> KvTable.list(tx, key).forEach(pair -> results.add(Row.of(pair)));
            case "check-index" -> {
                KvPair pair = required(tx, key, "failed to check index, key %s doesn't exist");
                if (pair.modifyIndex() != op.index()) {
                    throw ApiException.refused(
                            "failed index check for key %s, current modify index %d != %s"
                                    .formatted(
                                            quoted(key),
                                            pair.modifyIndex(),
                                            Long.toUnsignedString(op.index())));
                }
                results.add(Row.of(bare(pair)));
            }
            case "check-session" -> {
                KvPair pair = required(tx, key, "failed to check session, key %s doesn't exist");
                String holder = pair.session() == null ? "" : pair.session();
                if (!holder.equals(op.session())) {
                    throw ApiException.refused(
                            "failed session check for key %s, current session %s != %s"
                                    .formatted(quoted(key), quoted(holder), quoted(op.session())));
                }
                results.add(Row.of(bare(pair)));
            }
            case "check-not-exists" -> {
                if (KvTable.get(tx, key) != null) {
                    throw ApiException.refused("key %s exists".formatted(quoted(key)));
                }
            }
            default -> throw ApiException.refused("unknown KV verb " + quoted(op.verb()));
        }
    }

    private static void lock(Tx tx, Txn.Kv op, List<Row> results) {
        if (op.session().isEmpty()) {
            throw ApiException.refused("missing session");
        }
        if (op.session().length() != UUID_LENGTH) {
            throw ApiException.refused(
                    "failed session lookup: index error: UUID must be 36 characters");
        }
        written(
                tx,
                op,
                Verb.LOCK,
                KvTable.isDelayed(tx, op.key())
                        ? "failed to lock key %s due to lock delay".formatted(quoted(op.key()))
                        : "failed to lock key %s, lock is already held".formatted(quoted(op.key())),
                results);
    }

    private static void written(Tx tx, Txn.Kv op, Verb verb, String otherwise, List<Row> results) {
        if (!apply(tx, op, verb)) {
            throw ApiException.refused(otherwise);
        }
        KvPair pair = KvTable.get(tx, op.key());
        if (pair != null) {
            results.add(Row.of(bare(pair)));
        }
    }

    private static boolean apply(Tx tx, Txn.Kv op, Verb verb) {
        return KvTable.write(
                tx,
                new KvWrite(
                        verb,
                        op.key(),
                        op.value(),
                        op.flags(),
                        op.index(),
                        op.session().isEmpty() ? null : op.session()));
    }

    private static KvPair required(Tx tx, String key, String otherwise) {
        KvPair pair = KvTable.get(tx, key);
        if (pair == null) {
            throw ApiException.refused(otherwise.formatted(quoted(key)));
        }
        return pair;
    }

    /** Whoever writes or compares knows the value. */
    private static KvPair bare(KvPair pair) {
        return new KvPair(
                pair.lockIndex(),
                pair.key(),
                pair.flags(),
                null,
                pair.session(),
                pair.createIndex(),
                pair.modifyIndex());
    }

    private static String staleWrite(String key) {
        return "failed to set key %s, index is stale".formatted(quoted(key));
    }

    // The catalogue.

    private static void node(Tx tx, Txn.OfNode op, List<Row> results) {
        Node given = op.node();
        Node before = CatalogSteps.node(tx, given);
        String name = "node " + quoted(given.node());
        switch (op.verb()) {
            case "get" -> required(before, name);
            case "set" -> CatalogSteps.put(tx, given);
            case "cas" -> {
                compare(given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.put(tx, given);
            }
            case "delete" -> CatalogSteps.deleteNode(tx, before);
            case "delete-cas" -> {
                compareToDelete(
                        given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.deleteNode(tx, before);
            }
            default -> throw ApiException.refused("unknown Node verb " + quoted(op.verb()));
        }
        Node after = CatalogSteps.node(tx, given);
        if (after != null && !op.verb().startsWith("delete")) {
            results.add(Row.of(after));
        }
    }

    private static void service(Tx tx, Txn.OfService op, List<Row> results) {
        NodeService given = op.service();
        NodeService before = CatalogSteps.service(tx, op.node(), given.id());
        String name = "service %s on node %s".formatted(quoted(given.id()), quoted(op.node()));
        switch (op.verb()) {
            case "get" -> required(before, name);
            case "set" -> CatalogSteps.put(tx, op.node(), given);
            case "cas" -> {
                compare(given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.put(tx, op.node(), given);
            }
            case "delete" -> CatalogSteps.deleteService(tx, op.node(), given.id());
            case "delete-cas" -> {
                compareToDelete(
                        given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.deleteService(tx, op.node(), given.id());
            }
            default -> throw ApiException.refused("unknown Service verb " + quoted(op.verb()));
        }
        NodeService after = CatalogSteps.service(tx, op.node(), given.id());
        if (after != null && !op.verb().startsWith("delete")) {
            results.add(Row.of(after));
        }
    }

    private static void check(Tx tx, Txn.OfCheck op, List<Row> results) {
        HealthCheck given = op.check();
        HealthCheck before = CatalogSteps.check(tx, given.node(), given.checkId());
        String name =
                "check %s on node %s".formatted(quoted(given.checkId()), quoted(given.node()));
        switch (op.verb()) {
            case "get" -> required(before, name);
            case "set" -> CatalogSteps.put(tx, given);
            case "cas" -> {
                compare(given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.put(tx, given);
            }
            case "delete" -> CatalogSteps.deleteCheck(tx, before);
            case "delete-cas" -> {
                compareToDelete(
                        given.modifyIndex(), before == null ? 0 : before.modifyIndex(), name);
                CatalogSteps.deleteCheck(tx, before);
            }
            default -> throw ApiException.refused("unknown Check verb " + quoted(op.verb()));
        }
        HealthCheck after = CatalogSteps.check(tx, given.node(), given.checkId());
        if (after != null && !op.verb().startsWith("delete")) {
            results.add(Row.of(after));
        }
    }

    private static void required(@Nullable Object found, String name) {
        if (found == null) {
            throw ApiException.refused(name + " doesn't exist");
        }
    }

    /** 0 stands for what must not be there, on both sides. */
    private static void compare(long expected, long found, String name) {
        if (expected != found) {
            throw ApiException.refused("failed to set " + name + ", index is stale");
        }
    }

    /** What isn't there can't be what was expected. */
    private static void compareToDelete(long expected, long found, String name) {
        if (expected != found || found == 0) {
            throw ApiException.refused("failed to delete " + name + ", index is stale");
        }
    }

    /** As Go's {@code %q} does for what is printable. */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
