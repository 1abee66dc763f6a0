/** What every route shares: who may call, what a fault looks like, how a range is written. */
@NullMarked
package app.mantel.analytics.web;

import org.jspecify.annotations.NullMarked;
