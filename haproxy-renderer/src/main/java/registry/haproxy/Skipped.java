package registry.haproxy;

/** An instance that was left out, and why; {@code name} as in {@link Member}. */
record Skipped(String name, String why) {}
