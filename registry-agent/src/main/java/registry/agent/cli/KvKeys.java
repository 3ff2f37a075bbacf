package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** What the commands of the key-value store share. */
final class KvKeys {
    private KvKeys() {}

    /** No key starts with a slash, though people type one. */
    static String key(String typed) {
        return typed.startsWith("/") ? typed.substring(1) : typed;
    }

    static String path(String key) {
        return Query.path("/v1/kv/", key);
    }

    /** The bytes of a pair; none for null. */
    static byte[] value(JsonNode pair) {
        JsonNode value = pair.path("Value");
        return value.isTextual() ? Base64.getDecoder().decode(value.textValue()) : new byte[0];
    }

    /** Literal text, {@code -} for the standard input, {@code @file}. */
    static byte[] data(String argument, Terminal terminal) throws Failure, IOException {
        if (argument.equals("-")) {
            return terminal.in().readAllBytes();
        }
        if (argument.startsWith("@")) {
            return ReadFile.bytes(argument.substring(1), "Error! Failed to read file: ");
        }
        return argument.getBytes(StandardCharsets.UTF_8);
    }
}
