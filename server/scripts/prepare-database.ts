// Runs after `npm ci`: prepares the database that a first start unpacks. It only saves time, so it never fails an
// installation.
try {
  const { prepareTemplate } = await import('#storage');
  await prepareTemplate();
} catch (thrown) {
  console.warn(`sallyport: no prepared database (${thrown}); the first start takes a few seconds longer`);
}
