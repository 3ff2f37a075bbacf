package registry.api.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import java.io.IOException;
import java.math.BigInteger;

/** JSON numbers from 0 to 2⁶⁴-1, kept in the bits of a {@code long}. */
public final class Unsigned {
    private Unsigned() {}

    /** Writes the bits as an unsigned number. */
    public static final class Writer extends StdScalarSerializer<Long> {
        private static final long serialVersionUID = 1L;

        public Writer() {
            super(Long.class);
        }

        @Override
        public void serialize(Long value, JsonGenerator out, SerializerProvider p)
                throws IOException {
            if (value >= 0) {
                out.writeNumber(value);
            } else {
                out.writeNumber(new BigInteger(Long.toUnsignedString(value)));
            }
        }
    }

    /** Reads an unsigned number into its bits. */
    public static final class Reader extends StdScalarDeserializer<Long> {
        private static final long serialVersionUID = 1L;

        public Reader() {
            super(Long.class);
        }

        @Override
        public Long deserialize(JsonParser in, DeserializationContext context) throws IOException {
            if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                return (Long) context.handleUnexpectedToken(Long.class, in);
            }
            BigInteger value = in.getBigIntegerValue();
            if (value.signum() < 0 || value.bitLength() > 64) {
                return (Long)
                        context.handleWeirdNumberValue(
                                Long.class, value, "not in the range of unsigned 64 bits");
            }
            return value.longValue();
        }

        @Override
        public Long getNullValue(DeserializationContext context) {
            return 0L;
        }
    }
}
