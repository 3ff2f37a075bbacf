package registry.server.query;

import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.PreparedQuery;

/** A query in its table; a template is compiled at its first use and kept so. */
public final class Prepared {
    private final PreparedQuery query;

    // Written by any thread without a lock: all of them make the same.
    private @Nullable Template template;

    Prepared(PreparedQuery query) {
        this.query = query;
    }

    public PreparedQuery query() {
        return query;
    }

    /**
     * The query for {@code name}: filled in when it is a template.
     *
     * @throws ApiException when the template cannot be filled in
     */
    PreparedQuery of(String name) {
        if (!query.isTemplate()) {
            return query;
        }
        Template ready = template;
        if (ready == null) {
            ready = Template.compile(query);
            template = ready;
        }
        return ready.fill(name);
    }
}
