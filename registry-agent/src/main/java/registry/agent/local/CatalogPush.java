package registry.agent.local;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.server.rpc.Method;
import registry.server.rpc.Servers;

/**
 * Brings what has changed here into the catalogue, a group at a time: a service and its checks are
 * one registration.
 */
final class CatalogPush {
    private static final Logger log = LoggerFactory.getLogger(CatalogPush.class);

    /**
     * What is pushed may change meanwhile; whoever changed it comes back, so that this need not go
     * on for ever.
     */
    private static final int MAX_ROUNDS = 4;

    private final Entries entries;
    private final Turns turns;
    private final Servers servers;

    CatalogPush(Entries entries, Turns turns, Servers servers) {
        this.entries = entries;
        this.turns = turns;
        this.servers = servers;
    }

    /**
     * Pushes whatever the catalogue lacks of a group. Blocks for as long as servers take.
     *
     * @throws ApiException as the servers refused; what was not pushed stays to be pushed
     */
    void push(String group) {
        try (var turn = turns.take(group)) {
            for (int round = 0; round < MAX_ROUNDS; round++) {
                Entries.Work work = entries.work(group, false);
                if (work == null) {
                    return;
                }
                push(work);
            }
        }
    }

    private void push(Entries.Work work) {
        String datacenter = work.node().datacenter();
        String node = work.node().node();
        if (!work.goneService().isEmpty()) {
            servers.call(
                    Method.CATALOG_DEREGISTER,
                    new CatalogDeregistration(datacenter, node, work.goneService(), ""));
            entries.serviceDeregistered(work.group());
            log.info("deregistered service: service={}", work.goneService());
        } else {
            for (String check : work.goneChecks()) {
                servers.call(
                        Method.CATALOG_DEREGISTER,
                        new CatalogDeregistration(datacenter, node, "", check));
                entries.checkDeregistered(check);
                log.info("deregistered check: check={}", check);
            }
        }
        if (work.hasRegistration()) {
            register(work);
        }
    }

    private void register(Entries.Work work) {
        try {
            servers.call(Method.CATALOG_REGISTER, registration(work));
            entries.registered(work);
        } catch (ApiException e) {
            // Someone may have taken the service out of the catalogue behind our back: its checks
            // need it there.
            boolean onlyChecks = work.service() == null && !work.group().equals(Entries.NODE);
            if (e.kind() != ApiException.Kind.REFUSED || !onlyChecks) {
                throw e;
            }
            Entries.Work whole = entries.work(work.group(), true);
            if (whole == null) {
                return;
            }
            servers.call(Method.CATALOG_REGISTER, registration(whole));
            entries.registered(whole);
        }
        if (work.serviceView() != null) {
            log.debug(
                    "synced service: service={} checks={}",
                    work.serviceView().id(),
                    work.checkViews().size());
        } else {
            work.checkViews()
                    .forEach(check ->
                            log.debug(
                                    "synced check: check={} status={}",
                                    check.checkId(),
                                    check.status()));
        }
    }

    private static CatalogRegistration registration(Entries.Work work) {
        return new CatalogRegistration(
                work.node().datacenter(),
                work.node().id(),
                work.node().node(),
                work.node().address(),
                work.node().taggedAddresses(),
                work.node().meta(),
                work.serviceView(),
                work.checkViews(),
                !work.nodeNeeded());
    }
}
