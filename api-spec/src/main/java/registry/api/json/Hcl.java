package registry.api.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * HCL, version 1, as the tree that JSON of the same meaning gives. A block is an object under its
 * name, a label one more level: {@code key "a" { policy = "read" }} is {@code
 * {"key":{"a":{"policy":"read"}}}}. Objects under one name become a list of them; of other values
 * the last counts. {@code ${…}} stays as it is written. Source: github.com/hashicorp/hcl, version 1
 */
public final class Hcl {
    /** Deeper than any configuration, and no danger for the stack. */
    private static final int MAX_DEPTH = 64;

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final HclLexer lexer;
    private int depth;

    private Hcl(String text) {
        lexer = new HclLexer(text);
    }

    /** What is wrong with a text, and where; line and column count from 1. */
    public static final class SyntaxException extends Exception {
        private static final long serialVersionUID = 1L;

        private final int line;
        private final int column;

        SyntaxException(int line, int column, String message) {
            super(message, null, false, false);
            this.line = line;
            this.column = column;
        }

        public int line() {
            return line;
        }

        public int column() {
            return column;
        }
    }

    /**
     * Reads a whole text.
     *
     * @throws SyntaxException for the first thing that is wrong
     */
    public static ObjectNode parse(String text) throws SyntaxException {
        var parser = new Hcl(text);
        ObjectNode root = NODES.objectNode();
        while (parser.lexer.peek() != HclLexer.Kind.END) {
            parser.item(root);
        }
        return root;
    }

    /** {@code name = value}, {@code name { … }}, or {@code name "label" { … }}. */
    private void item(ObjectNode into) throws SyntaxException {
        List<String> names = new ArrayList<>();
        while (true) {
            switch (lexer.peek()) {
                case NAME, STRING -> {
                    names.add(lexer.next());
                    if (names.size() > MAX_DEPTH) {
                        throw lexer.fault("nested too deeply");
                    }
                }
                case ASSIGN -> {
                    if (names.size() != 1) {
                        throw lexer.fault(
                                names.isEmpty()
                                        ? "found '=', expected a name"
                                        : "found '=' behind several names, expected '{'");
                    }
                    lexer.next();
                    put(into, names.getFirst(), value());
                    lexer.skip(HclLexer.Kind.COMMA);
                    return;
                }
                case OPEN_BRACE -> {
                    if (names.isEmpty()) {
                        throw lexer.unexpected("a name");
                    }
                    JsonNode block = object();
                    for (int i = names.size() - 1; i > 0; i--) {
                        block = NODES.objectNode().set(names.get(i), block);
                    }
                    put(into, names.getFirst(), block);
                    lexer.skip(HclLexer.Kind.COMMA);
                    return;
                }
                default ->
                        throw lexer.unexpected(
                                names.isEmpty()
                                        ? "a name"
                                        : "'=' or '{' behind \"" + names.getLast() + "\"");
            }
        }
    }

    private static void put(ObjectNode into, String name, JsonNode value) {
        JsonNode before = into.get(name);
        if (!(value instanceof ObjectNode) || before == null) {
            into.set(name, value);
        } else if (before instanceof ObjectNode first) {
            into.set(name, NODES.arrayNode().add(first).add(value));
        } else if (before instanceof ArrayNode list && list.path(0).isObject()) {
            list.add(value);
        } else {
            into.set(name, value);
        }
    }

    private JsonNode value() throws SyntaxException {
        return switch (lexer.peek()) {
            case STRING -> NODES.textNode(lexer.next());
            case NUMBER -> lexer.number();
            case NAME -> word();
            case OPEN_BRACE -> object();
            case OPEN_BRACKET -> list();
            default -> throw lexer.unexpected("a value");
        };
    }

    private JsonNode word() throws SyntaxException {
        return switch (lexer.text()) {
            case "true", "false" -> NODES.booleanNode(lexer.next().equals("true"));
            default ->
                    throw lexer.fault(
                            "found " + lexer.text() + ", expected a value; texts stand in quotes");
        };
    }

    private ObjectNode object() throws SyntaxException {
        deeper();
        lexer.next();
        ObjectNode object = NODES.objectNode();
        while (lexer.peek() != HclLexer.Kind.CLOSE_BRACE) {
            if (lexer.peek() == HclLexer.Kind.END) {
                throw lexer.unexpected("'}'");
            }
            item(object);
        }
        lexer.next();
        depth--;
        return object;
    }

    private ArrayNode list() throws SyntaxException {
        deeper();
        lexer.next();
        ArrayNode list = NODES.arrayNode();
        while (lexer.peek() != HclLexer.Kind.CLOSE_BRACKET) {
            list.add(value());
            if (lexer.peek() != HclLexer.Kind.CLOSE_BRACKET && !lexer.skip(HclLexer.Kind.COMMA)) {
                throw lexer.unexpected("',' or ']'");
            }
        }
        lexer.next();
        depth--;
        return list;
    }

    private void deeper() throws SyntaxException {
        if (++depth > MAX_DEPTH) {
            throw lexer.fault("nested too deeply");
        }
    }
}
