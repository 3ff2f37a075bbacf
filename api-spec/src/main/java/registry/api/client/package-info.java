/** A thin client of the HTTP API. */
@NullMarked
package registry.api.client;

import org.jspecify.annotations.NullMarked;
