-- As text, so that members keep the order in which the source wrote them: models and people read schemas from top to bottom.
alter table tools alter column listing type json using listing::json;
