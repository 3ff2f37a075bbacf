package registry.server.rpc;

import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.KvWrite;
import registry.api.NodeCoordinate;
import registry.api.PreparedQueryWrite;
import registry.api.Session;
import registry.api.Txn;
import registry.api.TxnResult;

/**
 * A write that servers offer: its name on the wire and the shapes of its request and its answer.
 * All of them go through the log, at once or a little later.
 */
public record Method<Q, A>(String name, Class<Q> request, Class<A> answer) {
    public static final Method<CatalogRegistration, Boolean> CATALOG_REGISTER =
            new Method<>("Catalog.Register", CatalogRegistration.class, Boolean.class);
    public static final Method<CatalogDeregistration, Boolean> CATALOG_DEREGISTER =
            new Method<>("Catalog.Deregister", CatalogDeregistration.class, Boolean.class);

    /**
     * True when the key was written, locked, unlocked or deleted; false when the CAS or lock
     * failed.
     */
    public static final Method<KvWrite, Boolean> KV_APPLY =
            new Method<>("KV.Apply", KvWrite.class, Boolean.class);

    /** Its answer is the query's id. */
    public static final Method<PreparedQueryWrite, String> QUERY_APPLY =
            new Method<>("PreparedQuery.Apply", PreparedQueryWrite.class, String.class);

    /** Written a few seconds later, with those of others; true always. */
    public static final Method<NodeCoordinate, Boolean> COORDINATE_UPDATE =
            new Method<>("Coordinate.Update", NodeCoordinate.class, Boolean.class);

    /** Its answer is the new session's id. */
    public static final Method<Session, String> SESSION_CREATE =
            new Method<>("Session.Create", Session.class, String.class);

    /** Takes a session's id. */
    public static final Method<String, Boolean> SESSION_DESTROY =
            new Method<>("Session.Destroy", String.class, Boolean.class);

    /** Takes a session's id. */
    public static final Method<String, Session> SESSION_RENEW =
            new Method<>("Session.Renew", String.class, Session.class);

    public static final Method<Txn, TxnResult> TXN_APPLY =
            new Method<>("Txn.Apply", Txn.class, TxnResult.class);
}
