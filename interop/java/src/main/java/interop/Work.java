package interop;

import java.util.function.BooleanSupplier;

/** What the clients' programs share. */
final class Work {
    static final String HOST = System.getenv("REGISTRY_HOST");
    static final int PORT = Integer.parseInt(System.getenv("REGISTRY_PORT"));
    static final String NAME = "java-" + Long.toHexString(System.nanoTime());

    private Work() {}

    static void check(boolean so, String what) {
        if (!so) {
            throw new IllegalStateException("not so: " + what);
        }
    }

    static void within(long millis, BooleanSupplier so, String what) throws InterruptedException {
        long end = System.nanoTime() + millis * 1_000_000;
        while (!so.getAsBoolean()) {
            check(System.nanoTime() < end, what);
            Thread.sleep(20);
        }
    }

    /** Some clients keep threads that would keep the process. */
    static void done(String what) {
        System.out.println(what);
        System.exit(0);
    }
}
