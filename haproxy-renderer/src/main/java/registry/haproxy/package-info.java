/**
 * The companion of HAProxy: follows services in the registry, renders HAProxy's configuration,
 * drives it through its sockets.
 */
@NullMarked
package registry.haproxy;

import org.jspecify.annotations.NullMarked;
