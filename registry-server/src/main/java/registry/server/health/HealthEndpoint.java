package registry.server.health;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.server.catalog.CatalogEndpoint;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.catalog.Scopes;
import registry.server.catalog.Selection;
import registry.server.coordinate.Nearness;
import registry.server.filter.Filter;
import registry.server.filter.Schemas;
import registry.server.rpc.Body;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Row;
import registry.server.state.State;

/** The questions about checks and healthy instances. Source: consul-api 3.2 */
public final class HealthEndpoint {
    private static final Set<String> YES = Set.of("", "1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> NO = Set.of("0", "f", "F", "false", "FALSE", "False");
    private static final String ANY = "any";

    /** {@code /v1/health/node/NAME}. */
    public Query node(Question question) {
        String name = required(question, "Missing node name");
        return checks(
                question, Scopes.nodeChecks(name), state -> CatalogTable.checksOn(state, name));
    }

    /** {@code /v1/health/checks/SERVICE}: the checks bound to its instances. */
    public Query serviceChecks(Question question) {
        String name = required(question, "Missing service name");
        return checks(
                question, Scopes.serviceChecks(name), state -> CatalogTable.checksOf(state, name));
    }

    /**
     * {@code /v1/health/state/STATE}: all checks in that state, or {@code any}; an unknown word is
     * no check's.
     */
    public Query state(Question question) {
        String word = required(question, "Missing check state");
        return checks(
                question,
                Scopes.CHECKS,
                state -> {
                    Collection<Row<HealthCheck>> all =
                            state.table(CatalogTable.CHECKS).rows().values();
                    return word.equals(ANY)
                            ? all
                            : all.stream()
                                    .filter(check -> check.value().status().equals(word))
                                    .toList();
                });
    }

    private static Query checks(
            Question question, String watch, Function<State, Collection<Row<HealthCheck>>> rows) {
        Selection selection = Selection.of(question);
        Predicate<HealthCheck> filter = Filter.of(question.first("filter"), Schemas.CHECK);
        Function<State, Query.Answer> answer =
                state -> {
                    var body = new Body().open('[');
                    for (Row<HealthCheck> check :
                            Nearness.order(
                                    state,
                                    question,
                                    rows.apply(state),
                                    row -> row.value().node())) {
                        if ((!selection.byNode() || takes(selection, state, check.value().node()))
                                && filter.test(check.value())) {
                            body.value(check.json());
                        }
                    }
                    return body.close(']').answer(question);
                };
        if (!selection.byNode()) {
            return Nearness.keep(
                    question,
                    Query.of(List.of(watch), state -> state.index(Scopes.CHECKS), answer));
        }
        return Nearness.keep(
                question,
                Query.of(
                        List.of(watch, Scopes.NODES),
                        state -> Math.max(state.index(Scopes.CHECKS), state.index(Scopes.NODES)),
                        answer));
    }

    private static boolean takes(Selection selection, State state, String name) {
        Row<Node> node = CatalogTable.node(state, name);
        return node != null && selection.takes(node.value());
    }

    /**
     * {@code /v1/health/service/NAME}: instances with node and checks, by node then id; with {@code
     * passing} those all of whose checks pass. No service has an empty name.
     */
    public Query service(Question question) {
        String name = question.name();
        Selection selection = Selection.of(question);
        Predicate<HealthTable.Entry> filter =
                Filter.of(question.first("filter"), HealthTable.SCHEMA);
        boolean passingOnly = passingOnly(question);
        Query query =
                Query.of(
                        List.of(Scopes.service(name)),
                        state -> CatalogEndpoint.serviceIndex(state, name),
                        state -> {
                            var body = new Body().open('[');
                            for (Instance instance :
                                    Nearness.order(
                                            state,
                                            question,
                                            CatalogTable.instancesOf(state, name),
                                            Instance::node)) {
                                HealthTable.Entry entry = HealthTable.entry(state, instance);
                                if (entry != null
                                        && selection.takes(entry.node().value())
                                        && selection.takes(instance.service())
                                        && filter.test(entry)
                                        && (!passingOnly || entry.passing())) {
                                    entry.writeTo(body);
                                }
                            }
                            return body.close(']').answer(question);
                        });
        return Nearness.keep(question, query);
    }

    private static boolean passingOnly(Question question) {
        if (!question.has("passing")) {
            return false;
        }
        String value = question.first("passing");
        if (YES.contains(value)) {
            return true;
        }
        if (NO.contains(value)) {
            return false;
        }
        throw ApiException.badRequest("Invalid value for ?passing");
    }

    private static String required(Question question, String otherwise) {
        if (question.name().isEmpty()) {
            throw ApiException.badRequest(otherwise);
        }
        return question.name();
    }
}
