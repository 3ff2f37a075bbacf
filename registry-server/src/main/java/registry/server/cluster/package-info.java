/** How servers find each other, found a cluster once, and keep its voters right. */
@NullMarked
package registry.server.cluster;

import org.jspecify.annotations.NullMarked;
