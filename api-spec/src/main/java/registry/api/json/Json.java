package registry.api.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of the API: Consul's names made from record components, durations as Go text, {@code
 * <>&} escaped as Go does, map keys sorted, input case-insensitive and at most 64 levels deep.
 */
public final class Json {
    public static final int MAX_DEPTH = 64;
    private static final JsonMapper MAPPER = build();
    private static final ObjectWriter PRETTY = MAPPER.writer(new GoIndent());

    private Json() {}

    /** The one mapper of the contract; copy it before configuring anything. */
    public static JsonMapper mapper() {
        return MAPPER;
    }

    /** Compact JSON without a newline at the end. */
    public static byte[] write(@Nullable Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** JSON indented by four blanks with a newline at the end: what {@code ?pretty} answers. */
    public static byte[] writePretty(@Nullable Object value) {
        try {
            byte[] body = PRETTY.writeValueAsBytes(value);
            byte[] line = Arrays.copyOf(body, body.length + 1);
            line[body.length] = '\n';
            return line;
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws UncheckedIOException when it is not JSON of that type
     */
    public static <T> T read(byte[] json, Class<T> type) {
        try {
            return MAPPER.readValue(json, type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tree of {@code json}. */
    public static JsonNode tree(byte[] json) {
        try {
            return MAPPER.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonMapper build() {
        var durations = new SimpleModule("registry");
        durations.addSerializer(Duration.class, new DurationWriter());
        durations.addDeserializer(Duration.class, new DurationReader());
        JsonMapper built =
                JsonMapper.builder()
                        .propertyNamingStrategy(new GoNames())
                        .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES)
                        .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .addModule(durations)
                        .build();
        built.getFactory().setCharacterEscapes(new GoEscapes());
        built.getFactory()
                .setStreamReadConstraints(
                        StreamReadConstraints.builder()
                                .maxNestingDepth(MAX_DEPTH)
                                .maxStringLength(16 << 20)
                                .build());
        return built;
    }

    private static final class DurationWriter extends StdScalarSerializer<Duration> {
        private static final long serialVersionUID = 1L;

        DurationWriter() {
            super(Duration.class);
        }

        @Override
        public void serialize(Duration value, JsonGenerator out, SerializerProvider p)
                throws IOException {
            out.writeString(GoDuration.format(value));
        }
    }

    /** Text is Go's form, a number is nanoseconds. */
    private static final class DurationReader extends StdScalarDeserializer<Duration> {
        private static final long serialVersionUID = 1L;

        DurationReader() {
            super(Duration.class);
        }

        @Override
        public Duration deserialize(JsonParser in, DeserializationContext context)
                throws IOException {
            return switch (in.currentToken()) {
                case VALUE_NUMBER_INT -> Duration.ofNanos(in.getLongValue());
                case VALUE_STRING -> {
                    try {
                        yield GoDuration.parse(in.getText());
                    } catch (IllegalArgumentException e) {
                        throw context.weirdStringException(
                                in.getText(), Duration.class, e.getMessage());
                    }
                }
                default -> (Duration) context.handleUnexpectedToken(Duration.class, in);
            };
        }
    }

    /** Go's encoding/json escapes what would end a script element. */
    private static final class GoEscapes extends CharacterEscapes {
        private static final long serialVersionUID = 1L;
        private static final int[] ASCII = standardAsciiEscapesForJSON();
        private static final SerializedString LINE = new SerializedString("\\u2028");
        private static final SerializedString PARAGRAPH = new SerializedString("\\u2029");

        static {
            for (char c : "<>&".toCharArray()) {
                ASCII[c] = ESCAPE_CUSTOM;
            }
        }

        @Override
        public int[] getEscapeCodesForAscii() {
            return ASCII;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int c) {
            return switch (c) {
                case '<' -> new SerializedString("\\u003c");
                case '>' -> new SerializedString("\\u003e");
                case '&' -> new SerializedString("\\u0026");
                case 0x2028 -> LINE;
                case 0x2029 -> PARAGRAPH;
                default -> null;
            };
        }
    }

    /**
     * Go's json.Indent with four blanks: {@code "Key": value}, empty lists and objects stay on
     * their line.
     */
    private static final class GoIndent extends DefaultPrettyPrinter {
        private static final long serialVersionUID = 1L;
        private static final DefaultIndenter FOUR = new DefaultIndenter("    ", "\n");

        GoIndent() {
            super(
                    Separators.createDefaultInstance()
                            .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                            .withObjectEmptySeparator("")
                            .withArrayEmptySeparator(""));
            indentObjectsWith(FOUR);
            indentArraysWith(FOUR);
        }

        @Override
        public DefaultPrettyPrinter createInstance() {
            return new GoIndent();
        }
    }
}
