package registry.api.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import java.io.IOException;
import java.math.BigDecimal;

/** Writes a number with a fraction as Go does: {@code 0} and not {@code 0.0}. */
public final class GoFloat extends StdScalarSerializer<Double> {
    private static final long serialVersionUID = 1L;

    public GoFloat() {
        super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator out, SerializerProvider provider)
            throws IOException {
        if (value == 0) {
            out.writeNumber(0);
        } else if (Math.abs(value) >= 1e-6 && Math.abs(value) < 1e21) {
            out.writeNumber(
                    new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString());
        } else {
            out.writeNumber(value);
        }
    }
}
