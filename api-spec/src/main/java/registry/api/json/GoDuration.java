package registry.api.json;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;

/**
 * Go's text form of durations, the only one Consul's files and API use: {@code "10s"}, {@code
 * "1m30s"}, {@code "1.5h"}, {@code "-5ms"}, {@code "0"}. Units: ns, us (µs), ms, s, m, h. Source:
 * pkg.go.dev/time#ParseDuration
 */
public final class GoDuration {
    private static final String FORM = ", expected a number with a unit as in \"10s\" or \"1m30s\"";

    private GoDuration() {}

    /**
     * @throws IllegalArgumentException with the text and the expected form
     */
    public static Duration parse(String text) {
        int at = 0;
        boolean negative = false;
        if (!text.isEmpty() && (text.charAt(0) == '-' || text.charAt(0) == '+')) {
            negative = text.charAt(0) == '-';
            at = 1;
        }
        if (text.substring(at).equals("0")) {
            return Duration.ZERO;
        }
        if (at == text.length() || text.length() > 100) {
            throw new IllegalArgumentException("invalid duration \"" + text + "\"" + FORM);
        }
        BigDecimal nanos = BigDecimal.ZERO;
        while (at < text.length()) {
            int number = at;
            while (at < text.length()
                    && (Character.digit(text.charAt(at), 10) >= 0 && text.charAt(at) < 128
                            || text.charAt(at) == '.')) {
                at++;
            }
            String digits = text.substring(number, at);
            int unit = at;
            while (at < text.length()
                    && text.charAt(at) != '.'
                    && !(text.charAt(at) >= '0' && text.charAt(at) <= '9')) {
                at++;
            }
            nanos =
                    nanos.add(
                            amount(text, digits)
                                    .multiply(
                                            BigDecimal.valueOf(
                                                    nanosOf(text, text.substring(unit, at)))));
        }
        if (nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException(
                    "invalid duration \"" + text + "\", expected at most 292 years");
        }
        long whole = nanos.setScale(0, RoundingMode.DOWN).longValueExact();
        return Duration.ofNanos(negative ? -whole : whole);
    }

    private static BigDecimal amount(String text, String digits) {
        try {
            return new BigDecimal(digits);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("invalid duration \"" + text + "\"" + FORM, e);
        }
    }

    private static long nanosOf(String text, String unit) {
        return switch (unit) {
            case "ns" -> 1L;
            case "us", "µs", "μs" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "s" -> 1_000_000_000L;
            case "m" -> 60_000_000_000L;
            case "h" -> 3_600_000_000_000L;
            case "" ->
                    throw new IllegalArgumentException(
                            "missing unit in duration \"" + text + "\"" + FORM);
            default ->
                    throw new IllegalArgumentException(
                            "unknown unit \"" + unit + "\" in duration \"" + text + "\"" + FORM);
        };
    }

    /** The text as Go prints it: {@code "1m30s"}, {@code "200ms"}, {@code "0s"}. */
    public static String format(Duration duration) {
        long nanos = duration.toNanos();
        if (nanos == 0) {
            return "0s";
        }
        String sign = nanos < 0 ? "-" : "";
        long left = Math.abs(nanos);
        if (left < 1_000L) {
            return sign + left + "ns";
        }
        if (left < 1_000_000L) {
            return sign + decimal(left, 1_000L) + "µs";
        }
        if (left < 1_000_000_000L) {
            return sign + decimal(left, 1_000_000L) + "ms";
        }
        long hours = left / 3_600_000_000_000L;
        long minutes = left / 60_000_000_000L % 60;
        var out = new StringBuilder(sign);
        if (hours > 0) {
            out.append(hours).append('h');
        }
        if (hours > 0 || minutes > 0) {
            out.append(minutes).append('m');
        }
        return out.append(decimal(left % 60_000_000_000L, 1_000_000_000L)).append('s').toString();
    }

    private static String decimal(long value, long unit) {
        return BigDecimal.valueOf(value)
                .divide(BigDecimal.valueOf(unit))
                .stripTrailingZeros()
                .toPlainString();
    }
}
