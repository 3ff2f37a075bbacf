package registry.agent.local;

import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.AgentService;
import registry.api.ApiException;
import registry.api.HealthCheck;

/** The services and checks that this node owns, with their results; kept in RocksDB. */
public final class LocalState {
    /**
     * Where a definition came from: a file's wins over the API's of the same id, and is forgotten
     * when the file forgets it.
     */
    public enum Source {
        FILE,
        API
    }

    /** All services by id. */
    public SortedMap<String, AgentService> services() {
        throw new IllegalStateException("contract");
    }

    public Optional<AgentService> service(String id) {
        throw new IllegalStateException("contract");
    }

    /** All checks by id, as the catalogue shows them; indexes 0. */
    public SortedMap<String, HealthCheck> checks() {
        throw new IllegalStateException("contract");
    }

    /** Checks that count for a service: node-level ones first, then its own. */
    public List<HealthCheck> checksOf(String serviceId) {
        throw new IllegalStateException("contract");
    }

    /**
     * Adds or replaces a service with its checks, durably, then pushes it to the catalogue before
     * it returns (a failed push is only logged: anti-entropy repeats it).
     *
     * @param replaceExistingChecks removes checks of the service that the definition does not list
     * @throws ApiException REFUSED when it has a script check that is not allowed from this source
     */
    public void addService(
            ServiceDefinition definition, Source source, boolean replaceExistingChecks) {
        throw new IllegalStateException("contract");
    }

    /** Removes a service and its checks; false when there is none. */
    public boolean removeService(String id) {
        throw new IllegalStateException("contract");
    }

    /**
     * @throws ApiException REFUSED {@code ServiceID "x" does not exist}, or a script check that is
     *     not allowed
     */
    public void addCheck(CheckDefinition definition, Source source) {
        throw new IllegalStateException("contract");
    }

    public boolean removeCheck(String checkId) {
        throw new IllegalStateException("contract");
    }

    /**
     * Reports a TTL check. Output beyond the check's limit is cut.
     *
     * @param status passing, warning or critical
     * @throws ApiException REFUSED {@code CheckID "x" does not have associated TTL}
     */
    public void updateTtl(String checkId, String status, String output) {
        throw new IllegalStateException("contract");
    }

    /**
     * Puts the node into maintenance, or back; an empty reason is Consul's default text. Twice
     * keeps the first reason.
     */
    public void nodeMaintenance(boolean enable, String reason) {
        throw new IllegalStateException("contract");
    }

    /**
     * Like {@link #nodeMaintenance} for one service.
     *
     * @throws ApiException NOT_FOUND {@code No service registered with ID "x"}
     */
    public void serviceMaintenance(String serviceId, boolean enable, String reason) {
        throw new IllegalStateException("contract");
    }
}
