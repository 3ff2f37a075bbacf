package registry.api;

/**
 * DNS and load-balancing weights of an instance while it passes and while it warns; 1 and 1 by
 * default.
 */
public record Weights(int passing, int warning) {
    public static final Weights DEFAULT = new Weights(1, 1);
}
