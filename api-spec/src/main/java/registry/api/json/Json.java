package registry.api.json;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.AnnotationIntrospector;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.KeyDeserializer;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.fasterxml.jackson.databind.introspect.NopAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of the API: Consul's names made from record components, durations as Go text, {@code
 * <>&} escaped as Go does, map keys sorted, input at most 64 levels deep and its names in the very
 * case (what users write in any case is {@code GoBody}'s). A missing or null text, list or map
 * becomes an empty one unless its record component is {@code @Nullable}.
 */
public final class Json {
    public static final int MAX_DEPTH = 64;
    private static final JsonMapper MAPPER = build();

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
        return JsonIndent.indent(write(value));
    }

    /** Compact JSON in the form that {@link #writePretty} gives. */
    public static byte[] pretty(byte[] compact) {
        return JsonIndent.indent(compact);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws UncheckedIOException when it is not JSON of that type
     */
    public static <T> T read(byte[] json, Class<T> type) {
        return read(json, 0, json.length, type);
    }

    /** Like {@link #read(byte[], Class)} for a part of an array. */
    public static <T> T read(byte[] json, int offset, int length, Class<T> type) {
        try {
            return MAPPER.readValue(json, offset, length, type);
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
        var module = new SimpleModule("registry");
        module.addSerializer(Duration.class, new DurationWriter());
        module.addDeserializer(Duration.class, new DurationReader());
        module.addDeserializer(String.class, new TextReader());
        module.addKeyDeserializer(String.class, new TextKeyReader());
        JsonMapper built =
                JsonMapper.builder()
                        .propertyNamingStrategy(new GoNames())
                        .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                        .addModule(module)
                        .build();
        built.setAnnotationIntrospector(
                AnnotationIntrospector.pair(
                        built.getDeserializationConfig().getAnnotationIntrospector(),
                        new EmptyForMissing()));
        built.getFactory().setCharacterEscapes(new GoEscapes());
        built.getFactory()
                .setStreamReadConstraints(
                        StreamReadConstraints.builder()
                                .maxNestingDepth(MAX_DEPTH)
                                .maxStringLength(16 << 20)
                                .build());
        return built;
    }

    /**
     * Go's zero values: what a record does not declare nullable is empty when it is absent or null.
     */
    private static final class EmptyForMissing extends NopAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public JsonSetter.Value findSetterInfo(Annotated a) {
            if (!(a instanceof AnnotatedMember member) || !(emptiable(a.getRawType()))) {
                return JsonSetter.Value.empty();
            }
            Nulls contents =
                    a.getType().hasContentType() && isText(a) ? Nulls.AS_EMPTY : Nulls.SKIP;
            if (!a.getType().isContainerType()) {
                contents = Nulls.DEFAULT;
            }
            return JsonSetter.Value.construct(
                    nullable(member) ? Nulls.DEFAULT : Nulls.AS_EMPTY, contents);
        }

        private static boolean isText(Annotated a) {
            return a.getType().getContentType().getRawClass() == String.class;
        }

        private static boolean emptiable(Class<?> type) {
            return type == String.class
                    || Collection.class.isAssignableFrom(type)
                    || Map.class.isAssignableFrom(type);
        }

        private static boolean nullable(AnnotatedMember member) {
            Class<?> owner = member.getDeclaringClass();
            if (!owner.isRecord()) {
                return true;
            }
            RecordComponent[] components = owner.getRecordComponents();
            if (member instanceof AnnotatedParameter parameter) {
                return components[parameter.getIndex()]
                        .getAnnotatedType()
                        .isAnnotationPresent(Nullable.class);
            }
            for (RecordComponent component : components) {
                if (component.getName().equals(member.getName())) {
                    return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
                }
            }
            return true;
        }
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

    /**
     * As in Go, half a surrogate pair is U+FFFD; nothing that was read can then fail to be written.
     */
    private static final class TextReader extends StdScalarDeserializer<String> {
        private static final long serialVersionUID = 1L;

        TextReader() {
            super(String.class);
        }

        @Override
        public String deserialize(JsonParser in, DeserializationContext context)
                throws IOException {
            return switch (in.currentToken()) {
                case VALUE_STRING -> whole(in.getText());
                default -> (String) context.handleUnexpectedToken(String.class, in);
            };
        }

        @Override
        public Object getEmptyValue(DeserializationContext context) {
            return "";
        }
    }

    private static final class TextKeyReader extends KeyDeserializer {
        @Override
        public Object deserializeKey(String key, DeserializationContext context) {
            return whole(key);
        }
    }

    private static String whole(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                return replaceHalves(text, at);
            }
        }
        return text;
    }

    private static String replaceHalves(String text, int from) {
        var out = new StringBuilder(text);
        for (int at = from; at < out.length(); at++) {
            char c = out.charAt(at);
            boolean pair =
                    Character.isHighSurrogate(c)
                            && at + 1 < out.length()
                            && Character.isLowSurrogate(out.charAt(at + 1));
            if (pair) {
                at++;
            } else if (Character.isSurrogate(c)) {
                out.setCharAt(at, '\uFFFD');
            }
        }
        return out.toString();
    }

    /**
     * Go's encoding/json escapes what would end a script element, and knows no short form of \b and
     * \f.
     */
    private static final class GoEscapes extends CharacterEscapes {
        private static final long serialVersionUID = 1L;
        private static final int[] ASCII = standardAsciiEscapesForJSON();
        private static final SerializedString[] CUSTOM = new SerializedString[128];
        private static final SerializedString LINE = new SerializedString("\\u2028");
        private static final SerializedString PARAGRAPH = new SerializedString("\\u2029");

        static {
            for (char c : "<>&\b\f".toCharArray()) {
                ASCII[c] = ESCAPE_CUSTOM;
                CUSTOM[c] = new SerializedString("\\u%04x".formatted((int) c));
            }
            // Others get Jackson's own form, with capitals where Go has small letters.
            for (char c = 0; c < ' '; c++) {
                if (ASCII[c] == ESCAPE_STANDARD) {
                    ASCII[c] = ESCAPE_CUSTOM;
                    CUSTOM[c] = new SerializedString("\\u%04x".formatted((int) c));
                }
            }
        }

        @Override
        public int[] getEscapeCodesForAscii() {
            return ASCII;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int c) {
            return switch (c) {
                case 0x2028 -> LINE;
                case 0x2029 -> PARAGRAPH;
                default -> c < CUSTOM.length ? CUSTOM[c] : null;
            };
        }
    }
}
