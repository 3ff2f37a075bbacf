package registry.server.kv;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.KvPair;
import registry.api.KvWrite;
import registry.api.json.Json;
import registry.server.rpc.Body;
import registry.server.rpc.Proposer;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.State;

/** Writes and reads of the key-value store. Source: consul-api 3.7 */
public final class KvEndpoint {
    private static final int UUID_LENGTH = 36;
    private static final byte[] EMPTY_LIST = "[]".getBytes(StandardCharsets.US_ASCII);

    private final Proposer proposer;

    public KvEndpoint(Proposer proposer) {
        this.proposer = proposer;
    }

    /** True when the key was written, locked, unlocked or deleted. */
    public Boolean apply(KvWrite write) {
        if (write.key().isEmpty() && write.verb() != KvWrite.Verb.DELETE_TREE) {
            throw ApiException.badRequest("Missing key name");
        }
        switch (write.verb()) {
            case LOCK -> requireSession(write.session(), true);
            case UNLOCK -> requireSession(write.session(), false);
            case SET, CAS, DELETE, DELETE_CAS, DELETE_TREE -> {}
        }
        return (Boolean) proposer.propose(new KvOp.Write(write));
    }

    private static void requireSession(@Nullable String session, boolean wellFormed) {
        if (session == null || session.isEmpty()) {
            throw ApiException.refused("missing session");
        }
        if (wellFormed && session.length() != UUID_LENGTH) {
            throw ApiException.refused(
                    "failed session lookup: index error: UUID must be 36 characters");
        }
    }

    /**
     * {@code GET /v1/kv/KEY}; {@code keys} wins over {@code recurse}, and {@code raw} is for a
     * single key.
     */
    public Query get(Question question) {
        if (question.has("keys")) {
            return tree(question, pairs -> names(question, pairs));
        }
        if (question.has("recurse")) {
            return tree(question, pairs -> Json.write(pairs));
        }
        if (question.name().isEmpty()) {
            throw ApiException.badRequest("Missing key name");
        }
        return new Query(
                List.of(KvTable.watchKey(question.name())),
                state -> KvTable.keyIndex(state, question.name()),
                state -> single(question, state),
                false);
    }

    private static Query.Answer single(Question question, State state) {
        KvPair pair = KvTable.get(state, question.name());
        if (pair == null) {
            return Query.Answer.missing();
        }
        if (question.has("raw")) {
            return Query.Answer.found(pair.value() == null ? new byte[0] : pair.value());
        }
        return Query.Answer.found(Body.of(question, Json.write(List.of(pair))));
    }

    private interface Form {
        byte[] of(List<KvPair> pairs);
    }

    private static Query tree(Question question, Form form) {
        String prefix = question.name();
        return Query.of(
                List.of(KvTable.watchTree(prefix)),
                state -> KvTable.treeIndex(state, prefix),
                state -> {
                    List<KvPair> pairs = KvTable.list(state, prefix);
                    if (!pairs.isEmpty()) {
                        return Query.Answer.found(Body.of(question, form.of(pairs)));
                    }
                    // All names of an empty store are an empty list; anything else is not there.
                    return prefix.isEmpty() && question.has("keys")
                            ? Query.Answer.found(Body.of(question, EMPTY_LIST))
                            : Query.Answer.missing();
                });
    }

    /** Names, cut behind the first separator that follows the prefix, each once. */
    private static byte[] names(Question question, List<KvPair> pairs) {
        String separator = question.first("separator");
        int from = question.name().length();
        Set<String> names = new LinkedHashSet<>();
        for (KvPair pair : pairs) {
            int cut = separator.isEmpty() ? -1 : pair.key().indexOf(separator, from);
            names.add(cut < 0 ? pair.key() : pair.key().substring(0, cut + separator.length()));
        }
        return Json.write(names);
    }
}
