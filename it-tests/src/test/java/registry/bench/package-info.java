/**
 * Measurements: {@code make bench}. Each figure stands beside a floor, a bare Jetty handler in the
 * same JVM flags that answers the same bytes, measured in turns with the agent.
 */
package registry.bench;
