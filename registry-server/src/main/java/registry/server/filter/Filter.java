package registry.server.filter;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.server.filter.Expression.And;
import registry.server.filter.Expression.Match;
import registry.server.filter.Expression.Not;
import registry.server.filter.Expression.Operator;
import registry.server.filter.Expression.Or;
import registry.server.filter.Schema.Field;

/** Makes the test of a row out of a filter. Source: consul-api 4 */
public final class Filter {
    private static final String REFUSED = "Failed to create boolean expression evaluator: ";
    private static final Set<String> YES = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> NO = Set.of("0", "f", "F", "false", "FALSE", "False");

    private Filter() {}

    /**
     * The test that {@code text} stands for; empty text takes every row.
     *
     * @throws ApiException with Consul's text when it is no filter, or asks what the rows can't say
     */
    public static <T> Predicate<T> of(String text, Schema<T> schema) {
        if (text.isEmpty()) {
            return row -> true;
        }
        try {
            return test(Parser.parse(text), schema);
        } catch (Parser.Refusal e) {
            throw ApiException.refused(REFUSED + e.text());
        }
    }

    private static <T> Predicate<T> test(Expression expression, Schema<T> schema)
            throws Parser.Refusal {
        return switch (expression) {
            case Or(Expression left, Expression right) ->
                    test(left, schema).or(test(right, schema));
            case And(Expression left, Expression right) ->
                    test(left, schema).and(test(right, schema));
            case Not(Expression of) -> test(of, schema).negate();
            case Match match -> member(match, 0, schema);
        };
    }

    /** The test of the member that stands at {@code depth} of the selector. */
    private static <T> Predicate<T> member(Match match, int depth, Schema<T> schema)
            throws Parser.Refusal {
        Field<T> field =
                depth < match.selector().size() ? schema.field(match.selector().get(depth)) : null;
        if (field == null) {
            throw notValid(match);
        }
        return of(match, depth, field);
    }

    private static <T> Predicate<T> of(Match match, int depth, Field<T> field)
            throws Parser.Refusal {
        boolean last = depth + 1 == match.selector().size();
        return switch (field) {
            case Field.Text<T> text when last -> {
                Predicate<String> asks = text(match);
                yield row -> asks.test(text.of().apply(row));
            }
            case Field.Number<T> number when last -> {
                only(match, Operator.EQUAL);
                long wanted = number(match);
                yield row -> (number.of().applyAsLong(row) == wanted) != match.negated();
            }
            case Field.Flag<T> flag when last -> {
                only(match, Operator.EQUAL);
                boolean wanted = flag(match);
                yield row -> (flag.of().test(row) == wanted) != match.negated();
            }
            case Field.Texts<T> texts when last -> {
                only(match, Operator.IN, Operator.IS_EMPTY);
                yield row -> holds(match, texts.of().apply(row));
            }
            case Field.TextMap<T> map when last -> {
                only(match, Operator.IN, Operator.IS_EMPTY);
                yield row -> holds(match, keys(map.of().apply(row)));
            }
            case Field.TextMap<T> map when depth + 2 == match.selector().size() -> {
                Predicate<String> asks = text(match);
                String key = match.selector().get(depth + 1);
                yield row -> {
                    Map<String, String> pairs = map.of().apply(row);
                    String value = pairs == null ? null : pairs.get(key);
                    return value == null ? match.negated() : asks.test(value);
                };
            }
            case Field.One<T, ?> one -> one(match, depth, one);
            case Field.Many<T, ?> many -> many(match, depth, many, last);
            case Field.Named<T, ?> named -> named(match, depth, named, last);
            default -> throw notValid(match);
        };
    }

    private static <T, U> Predicate<T> one(Match match, int depth, Field.One<T, U> one)
            throws Parser.Refusal {
        Predicate<U> asks = member(match, depth + 1, one.schema());
        return row -> asks.test(one.of().apply(row));
    }

    /** Any of the structures is enough. */
    private static <T, U> Predicate<T> many(
            Match match, int depth, Field.Many<T, U> many, boolean last) throws Parser.Refusal {
        if (last) {
            only(match, Operator.IS_EMPTY);
            return row -> many.of().apply(row).isEmpty() != match.negated();
        }
        Predicate<U> asks = member(match, depth + 1, many.schema());
        return row -> {
            for (U element : many.of().apply(row)) {
                if (asks.test(element)) {
                    return true;
                }
            }
            return false;
        };
    }

    private static <T, U> Predicate<T> named(
            Match match, int depth, Field.Named<T, U> named, boolean last) throws Parser.Refusal {
        if (last) {
            only(match, Operator.IN, Operator.IS_EMPTY);
            return row -> holds(match, keys(named.of().apply(row)));
        }
        Predicate<U> asks = member(match, depth + 2, named.schema());
        String key = match.selector().get(depth + 1);
        return row -> {
            Map<String, U> all = named.of().apply(row);
            U element = all == null ? null : all.get(key);
            return element == null ? match.negated() : asks.test(element);
        };
    }

    private static Collection<String> keys(@Nullable Map<String, ?> map) {
        return map == null ? List.of() : map.keySet();
    }

    private static boolean holds(Match match, Collection<String> all) {
        boolean found =
                match.operator() == Operator.IS_EMPTY ? all.isEmpty() : all.contains(match.value());
        return found != match.negated();
    }

    private static Predicate<String> text(Match match) throws Parser.Refusal {
        String value = match.value();
        boolean negated = match.negated();
        return switch (match.operator()) {
            case EQUAL -> text -> text.equals(value) != negated;
            case IN -> text -> text.contains(value) != negated;
            case MATCHES -> {
                Pattern pattern = pattern(match);
                yield text -> pattern.matcher(text).find() != negated;
            }
            case IS_EMPTY -> throw wrongOperator(match);
        };
    }

    private static Pattern pattern(Match match) throws Parser.Refusal {
        try {
            RegexSize.check(match.value());
            return Pattern.compile(match.value());
        } catch (PatternSyntaxException e) {
            throw new Parser.Refusal(
                    "Failed to compile regular expression for selector \"%s\": error parsing regexp: %s: `%s`"
                            .formatted(match.selectorText(), e.getDescription(), e.getPattern()));
        }
    }

    private static long number(Match match) throws Parser.Refusal {
        try {
            return Long.decode(match.value());
        } catch (NumberFormatException e) {
            boolean tooLarge = match.value().matches("-?[0-9]+");
            throw coercion(match, "ParseInt", tooLarge ? "value out of range" : "invalid syntax");
        }
    }

    private static boolean flag(Match match) throws Parser.Refusal {
        if (YES.contains(match.value())) {
            return true;
        }
        if (NO.contains(match.value())) {
            return false;
        }
        throw coercion(match, "ParseBool", "invalid syntax");
    }

    private static Parser.Refusal coercion(Match match, String function, String why) {
        return new Parser.Refusal(
                "Failed to coerce value \"%s\" for selector \"%s\": strconv.%s: parsing \"%s\": %s"
                        .formatted(
                                match.value(), match.selectorText(), function, match.value(), why));
    }

    private static void only(Match match, Operator... allowed) throws Parser.Refusal {
        if (!List.of(allowed).contains(match.operator())) {
            throw wrongOperator(match);
        }
    }

    private static Parser.Refusal wrongOperator(Match match) {
        return new Parser.Refusal(
                "Invalid match operator \"%s\" for selector \"%s\""
                        .formatted(match.operatorText(), match.selectorText()));
    }

    private static Parser.Refusal notValid(Match match) {
        return new Parser.Refusal("Selector \"%s\" is not valid".formatted(match.selectorText()));
    }
}
