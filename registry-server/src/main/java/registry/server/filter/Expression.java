package registry.server.filter;

import java.util.List;

/** A filter as it was written. */
sealed interface Expression {
    record Or(Expression left, Expression right) implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Not(Expression of) implements Expression {}

    /**
     * @param selector names from the row inwards, at least one
     * @param value empty where the operator takes none
     */
    record Match(List<String> selector, Operator operator, boolean negated, String value)
            implements Expression {
        String selectorText() {
            return String.join(".", selector);
        }

        /** The operator as Consul's refusals call it. */
        String operatorText() {
            if (operator == Operator.IS_EMPTY) {
                return negated ? "Is Not Empty" : "Is Empty";
            }
            return (negated ? "Not " : "") + operator.text;
        }
    }

    /** What a match asks; {@code contains} is {@code in} with its sides swapped. */
    enum Operator {
        EQUAL("Equal"),
        IN("In"),
        IS_EMPTY("Is Empty"),
        MATCHES("Matches");

        private final String text;

        Operator(String text) {
            this.text = text;
        }
    }
}
