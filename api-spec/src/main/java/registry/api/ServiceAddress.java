package registry.api;

/** One tagged address of a service instance. */
public record ServiceAddress(String address, int port) {}
